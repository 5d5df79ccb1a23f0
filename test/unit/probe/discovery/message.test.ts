import { describe, expect, test } from "bun:test";
import { encode } from "dns-packet";
import { cacheSightings, cacheUpdate, emptyCache } from "../../../../src/probe/discovery/cache.ts";
import { parseAddress } from "../../../../src/config/addresses.ts";
import { decodeMessage, isResponse } from "../../../../src/probe/discovery/message.ts";
import type { Sighting } from "../../../../src/probe/sighting.ts";
import { answerPacket, mutate, readCaptures, seededRandom } from "../../../fixtures/mdns-packets.ts";

const captures = readCaptures();
const whole = answerPacket({ id: 77 });
/** A header that promises so much, and nothing behind it. */
const header = (questions: number, answers: number, flags = 0x8400) =>
  Uint8Array.from([0, 0, flags >> 8, flags & 255, 0, questions, answers >> 8, answers & 255, 0, 0, 0, 0]);

describe("what avahi sends", () => {
  test("is read in all of its sections", () => {
    const first = captures.find(({ how }) => how === "unicast");
    expect(decodeMessage(first?.packet ?? new Uint8Array())).toEqual({
      id: 0x1234,
      records: [
        {
          name: "_berry._tcp.local",
          type: "PTR",
          ttlSeconds: 10,
          flush: false,
          target: "berry on pi1._berry._tcp.local",
        },
        {
          name: "berry on pi1._berry._tcp.local",
          type: "TXT",
          ttlSeconds: 10,
          flush: false,
          strings: [
            "version=0.1.0",
            "role=server",
            "model=Raspberry Pi 4 Model B Rev 1.4",
            expect.stringMatching(/^serial=10000000a1b2c30[13]$/),
          ].toReversed(),
        },
        {
          name: "berry on pi1._berry._tcp.local",
          type: "SRV",
          ttlSeconds: 10,
          flush: false,
          port: 9100,
          target: "pi1.local",
        },
        expect.objectContaining({ type: "AAAA", name: "pi1.local" }),
        expect.objectContaining({ type: "A", name: "pi1.local" }),
      ],
    });
  });

  test("is a response that can be read, or a question", () => {
    const read = captures.map(({ packet }) => isResponse(packet) === (decodeMessage(packet) !== null));
    expect(read.length).toBeGreaterThan(50);
    expect(read).not.toContain(false);
  });
});

describe("what is no response", () => {
  test.each<[string, Uint8Array]>([
    ["nothing at all", new Uint8Array()],
    ["less than a header", whole.slice(0, 11)],
    ["a question", encode({ type: "query", questions: [{ type: "PTR", name: "_berry._tcp.local" }] })],
    ["an error", Uint8Array.from(whole, (byte, index) => (index === 3 ? 3 : byte))],
    ["another operation", Uint8Array.from(whole, (byte, index) => (index === 2 ? 0xac : byte))],
    ["counts of 65535", Uint8Array.from(whole, (byte, index) => (index > 3 && index < 12 ? 0xff : byte))],
    ["more answers than there are", header(0, 9)],
    ["an answer that is cut off", whole.slice(0, -1)],
    ["more than a message may have", Uint8Array.from([...whole, ...new Uint8Array(9000)])],
    ["a name that points at itself", Uint8Array.from([...header(0, 1), 0xc0, 12, ...new Uint8Array(20)])],
    [
      "names that point at each other",
      Uint8Array.from([...header(0, 1), 0xc0, 14, 0xc0, 12, ...new Uint8Array(20)]),
    ],
    [
      "a name of 300 bytes",
      Uint8Array.from([
        ...header(0, 1),
        ...Array.from({ length: 5 }, () => [60, ...new Uint8Array(60).fill(97)]).flat(),
        ...new Uint8Array(20),
      ]),
    ],
  ])("%s is not read", (_, packet) => {
    expect(decodeMessage(packet)).toBeNull();
  });

  test("records of other types and classes are passed over", () => {
    const packet = encode({
      type: "response",
      answers: [
        { type: "CNAME", name: "x.local", data: "y.local", class: "IN" },
        { type: "A", name: "x.local", data: "192.168.1.1", class: "CH" },
        { type: "A", name: "x.local", data: "192.168.1.2", class: "IN", ttl: 2 ** 32 - 1 },
      ],
    });
    expect(decodeMessage(packet)?.records).toEqual([
      { name: "x.local", type: "A", ttlSeconds: 4500, flush: false, address: "192.168.1.2" },
    ]);
  });
});

test("100,000 mutated captures neither throw nor give a sighting that makes no sense", () => {
  const random = seededRandom(5353);
  let readable = 0;
  let cache = emptyCache;
  const strange = new Set<string>();
  for (let run = 0; run < 100_000; run += 1) {
    const { packet } = captures[run % captures.length] ?? { packet: whole };
    const message = decodeMessage(mutate(packet, random));
    if (message === null) continue;
    readable += 1;
    // every sender is a new one, so that none is shut up
    if (readable % 64 === 0) cache = emptyCache;
    const source = `192.168.1.${run % 250}`;
    const change = cacheUpdate(cache, { message, link: "eth0", source, jitter: 0 }, run);
    cache = change.cache;
    for (const event of change.events)
      if (event.event === "seen") for (const why of oddities(event.sighting)) strange.add(why);
  }
  expect([...strange]).toEqual([]);
  // else nothing was tried
  expect(readable).toBeGreaterThan(10_000);
  expect(cacheSightings(cache).length).toBeGreaterThan(0);
}, 60_000);

function oddities({ instance, host, port, addresses, ...texts }: Sighting): string[] {
  const strange: string[] = [];
  if (instance === null || instance.length === 0 || instance.length > 300)
    strange.push(`instance ${instance}`);
  if (host.length === 0 || host.length > 255) strange.push(`host ${host}`);
  if (!Number.isInteger(port) || port < 1 || port > 65535) strange.push(`port ${port}`);
  if (addresses.length < 1 || addresses.length > 16) strange.push(`${addresses.length} addresses`);
  for (const { address, family, zone } of addresses) {
    const parsed = parseAddress(address);
    if (parsed === null || parsed.version !== family || zone !== "eth0") strange.push(address);
    if (/^(0|127|22[4-9]|2[345]\d)\.|^(::|::1|ff.*)$/.test(address)) strange.push(address);
  }
  for (const text of [texts.serial, texts.model, texts.role, texts.version])
    if (text !== null && (typeof text !== "string" || text.length === 0 || text.length > 255))
      strange.push(`text ${text}`);
  return strange;
}
