import { expect, test } from "bun:test";
import { decode } from "dns-packet";
import { encodeQueries } from "../../../../src/probe/discovery/query.ts";

const pointer = { name: "_berry._tcp.local", type: "PTR" } as const;
const instance = (number: number) => `berry on board ${number}._berry._tcp.local`;

test("a question goes with the answers that are known", () => {
  const packets = encodeQueries(7, [pointer], [{ target: instance(1), ttlSeconds: 99 }]).map((packet) =>
    decode(Buffer.from(packet)),
  );
  expect(packets).toHaveLength(1);
  expect(packets[0]).toMatchObject({
    id: 7,
    type: "query",
    flags: 0,
    questions: [{ name: "_berry._tcp.local", type: "PTR", class: "IN" }],
    answers: [{ name: "_berry._tcp.local", type: "PTR", ttl: 99, data: instance(1) }],
  });
});

test("no packet is larger than any network takes, no question is left out, known answers may be", () => {
  const questions = Array.from(
    { length: 64 },
    (_, number) => ({ name: instance(number), type: "SRV" }) as const,
  );
  const known = Array.from({ length: 64 }, (_, number) => ({ target: instance(number), ttlSeconds: 9 }));
  for (const asked of [[pointer], questions]) {
    const packets = encodeQueries(0, asked, known);
    expect(Math.max(...packets.map(({ length }) => length))).toBeLessThanOrEqual(1232);
    const read = packets.map((packet) => decode(Buffer.from(packet)));
    expect(read.flatMap(({ questions }) => questions?.map(({ name }) => name))).toEqual(
      asked.map(({ name }) => name),
    );
  }
  expect(decode(Buffer.from(encodeQueries(0, [pointer], known)[0] ?? [])).answers?.length).toBeGreaterThan(9);
});

test("a name that cannot be sent is not asked for", () => {
  const names = [`${"\ufffd".repeat(30)}.local`, "a..local", `${"a.".repeat(130)}local`, ""];
  expect(
    encodeQueries(
      0,
      names.map((name) => ({ name, type: "A" })),
      [{ target: "x", ttlSeconds: 1 }],
    ),
  ).toEqual([]);
});
