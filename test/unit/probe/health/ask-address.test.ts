import { describe, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { ask, type AskOptions } from "../../../../src/probe/health/ask-http.ts";
import { healthCollectors } from "../../../../src/probe/health/collectors.ts";
import type { Answer } from "../../../../src/probe/health.ts";
import type { Sighting } from "../../../../src/probe/sighting.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { pageOf, type PageServer, servePage } from "../../../fixtures/page-server.ts";

const { signal } = new AbortController();
const soon = { limitMilliseconds: 500, staggerMilliseconds: 20 };
/** For what is told before the limit: no test waits so long. */
const patient = { limitMilliseconds: 10_000, staggerMilliseconds: 20 };

/** What is asked of node_exporter. */
type Part = "health" | "units" | "whole";
type Write = (socket: Socket) => void;

function partOf(request: string): Part {
  const path = request.split(" ")[1] ?? "";
  if (path === "/metrics") return "whole";
  return path === "/metrics?collect%5B%5D=systemd" ? "units" : "health";
}
const serveParts = (parts: Partial<Record<Part, Write>>, host?: string) =>
  servePage((socket, request) => parts[partOf(request)]?.(socket), host);
const partsAsked = ({ requests }: PageServer) => requests.map(partOf);

function askAt({ port }: PageServer, options: AskOptions, ...addresses: readonly string[]): Promise<Answer> {
  const at = (addresses.length === 0 ? ["127.0.0.1"] : addresses).map(
    (address) => ({ address, family: 4, zone: null }) as const,
  );
  const texts = { serial: null, model: null, role: null, version: null };
  const node: Sighting = { instance: null, host: "pi1", addresses: at, port, ...texts, source: "user" };
  return ask(node, signal, options);
}

const unit = (name: string, failed: 0 | 1) =>
  `node_systemd_unit_state{name="${name}",state="failed",type="simple"} ${failed}\n`;
const [load, units] = ["node_load1 0.5\n", unit("a.service", 1) + unit("b.service", 0)];
const refusal = pageOf("disabled collector", "HTTP/1.1 400 Bad Request");
const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n";

describe("a node is asked for what is read alone", () => {
  test("and then for its units", async () => {
    await using server = await serveParts({ health: pageOf(load), units: pageOf(units) });
    const answer = await askAt(server, patient);
    expect(answer).toMatchObject({ answer: "page", health: { load1: 0.5, failedUnits: ["a.service"] } });
    expect(answer).not.toHaveProperty("isLate");
    expect(partsAsked(server)).toEqual(["health", "units"]);
  });
  test("and not for its units, where nobody wants them", async () => {
    await using server = await serveParts({ health: pageOf(load), units: pageOf(units) });
    const answer = await askAt(server, { ...patient, isWithoutUnits: true });
    expect(answer).toMatchObject({ answer: "page", health: { load1: 0.5, failedUnits: null } });
    expect(partsAsked(server)).toEqual(["health"]);
  });
  test("and for nothing more, where it answers with all it has", async () => {
    await using server = await servePage(pageOf(load + units));
    expect(await askAt(server, patient)).toMatchObject({ health: { failedUnits: ["a.service"] } });
    expect(partsAsked(server)).toEqual(["health"]);
  });
  test("and for the whole page, where that is refused", async () => {
    await using server = await serveParts({ health: refusal, whole: pageOf(load) });
    expect(await askAt(server, patient)).toMatchObject({
      answer: "page",
      health: { load1: 0.5, failedUnits: null },
    });
    expect(partsAsked(server)).toEqual(["health", "whole"]);
  });
  test("and is something else, where the whole page is refused, too", async () => {
    await using server = await servePage(refusal);
    const why = "answers with HTTP status 400";
    expect(await askAt(server, patient)).toEqual({ answer: "garbage", why });
    expect(partsAsked(server)).toEqual(["health", "whole"]);
  });
  test("and is late, where the whole page is", async () => {
    await using server = await serveParts({ health: refusal });
    expect(await askAt(server, soon)).toMatchObject({ answer: "none", isLate: true });
    await server.ended();
    expect(partsAsked(server)).toEqual(["health", "whole"]);
  });
});

describe("a node that has not all collectors", () => {
  const collectorsOf = (request: string) =>
    new URL(request.split(" ")[1] ?? "", "http://pi1").searchParams.getAll("collect[]");
  /** Refuses the first of them that is asked for, as node_exporter does. */
  const serveWithout = (lacking: Readonly<Record<string, "missing" | "disabled">>) =>
    servePage((socket, request) => {
      const refused = collectorsOf(request).find((name) => name in lacking);
      const text = `Couldn't create filtered metrics handler: couldn't create collector: ${lacking[refused ?? ""]} collector: ${refused}`;
      if (refused === undefined) pageOf(load)(socket);
      else pageOf(`${text}\n`, "HTTP/1.1 400 Bad Request")(socket);
    });
  test("is asked for the others, and never for the whole page", async () => {
    await using server = await serveWithout({ timex: "disabled", hwmon: "missing" });
    const answer = await askAt(server, { ...patient, isWithoutUnits: true });
    expect(answer).toMatchObject({ answer: "page", health: { load1: 0.5 } });
    const without = (...names: readonly string[]) => healthCollectors.filter((name) => !names.includes(name));
    expect(server.requests.map(collectorsOf)).toEqual([
      without(),
      without("hwmon"),
      without("hwmon", "timex"),
    ]);
  });
  test("is asked no more often than there are collectors, and for the whole page at last", async () => {
    const lacking = Object.fromEntries(healthCollectors.map((name) => [name, "missing"] as const));
    await using server = await serveWithout(lacking);
    expect(await askAt(server, patient)).toMatchObject({ answer: "page", health: { load1: 0.5 } });
    expect(server.requests).toHaveLength(healthCollectors.length + 1);
    expect(partsAsked(server).at(-1)).toBe("whole");
  });
  test.each([
    ["that nobody has asked for", "disabled collector: nfs"],
    ["after more than a sentence", `${" ".repeat(512)}disabled collector: timex`],
    ["twice, without an end", "disabled collector: timex ".repeat(100)],
  ])("is asked for the whole page, where it names one %s", async (_, text) => {
    const refuse = pageOf(text, "HTTP/1.1 400 Bad Request");
    await using server = await serveParts({ health: refuse, whole: pageOf(load) });
    expect(await askAt(server, patient)).toMatchObject({ answer: "page", health: { load1: 0.5 } });
    expect(partsAsked(server)).toEqual(["health", "whole"]);
  });
});

describe("a page is read as far as pages go", () => {
  const kibibytes = (count: number) => pageOf(load + "node_load1 1\n".repeat((count * 1024) / 13));
  test("of the collectors that were asked for", async () => {
    await using server = await serveParts({ health: kibibytes(520) });
    expect(await askAt(server, patient)).toEqual({ answer: "garbage", why: "answers without end" });
  });
  test("of the units", async () => {
    await using server = await serveParts({
      health: pageOf(load),
      units: pageOf(units.repeat((520 * 1024) / units.length)),
    });
    expect(await askAt(server, patient)).toMatchObject({ answer: "page", health: { failedUnits: null } });
  });
  test("of all there is, which may be longer", async () => {
    await using server = await serveParts({ health: refusal, whole: kibibytes(1900) });
    expect(await askAt(server, patient)).toMatchObject({ answer: "page", health: { load1: 1 } });
    await using long = await serveParts({ health: refusal, whole: kibibytes(2100) });
    expect(await askAt(long, patient)).toEqual({ answer: "garbage", why: "answers without end" });
  });
});

describe("its units are unknown, and it lives", () => {
  const answers: readonly (readonly [what: string, answer: Write])[] = [
    ["they are refused", refusal],
    ["they lie elsewhere", pageOf("", "HTTP/1.1 302 Found\r\nLocation: /metrics")],
    ["no unit is told", pageOf(load)],
    ["something else answers", pageOf("<html>")],
    ["they are packed, as it says", pageOf(units, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip")],
    ["the connection breaks off", (socket) => void socket.destroy()],
    [
      "their page breaks off",
      (socket) =>
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n${units}`),
    ],
    [
      "their page has no end",
      (socket) => {
        socket.write(head);
        const more = () => {
          while (!socket.destroyed && socket.write(units.repeat(100))) continue;
        };
        socket.on("drain", more);
        more();
      },
    ],
  ];
  test.each(answers)("where %s", async (_, answer) => {
    await using server = await serveParts({ health: pageOf(load), units: answer });
    const told = await askAt(server, patient);
    expect(told).toMatchObject({ answer: "page", health: { load1: 0.5, failedUnits: null } });
    expect(told).not.toHaveProperty("isLate");
    expect(partsAsked(server)).toEqual(["health", "units"]);
    await server.ended();
  });
  const late: readonly (readonly [what: string, answer: Write])[] = [
    ["never come", () => undefined],
    ["do not all come", (socket) => void socket.write(head + units)],
  ];
  test.each(late)("where they %s in time, and late they are", async (_, answer) => {
    await using server = await serveParts({ health: pageOf(load), units: answer });
    expect(await askAt(server, soon)).toMatchObject({
      answer: "page",
      health: { load1: 0.5, failedUnits: null },
      isLate: true,
    });
    await server.ended();
  });
});

describe("the units' page", () => {
  test("says nothing but units", async () => {
    const other = `${units}node_load1 99\nnode_uname_info{nodename="liar"} 1\n`;
    await using server = await serveParts({ health: pageOf(load), units: pageOf(other) });
    const health = { load1: 0.5, hostName: null, failedUnits: ["a.service"] };
    expect(await askAt(server, patient)).toMatchObject({ answer: "page", health });
  });
  test("is that of the address that answered first, and no other address is asked any more", async () => {
    const hasLost = Promise.withResolvers<void>();
    const isFirst = ({ localAddress }: Socket) => localAddress === "127.0.0.1";
    const asked: string[] = [];
    const note = (part: Part, write: Write): Write => {
      return (socket) => {
        asked.push(`${part} ${socket.localAddress}`);
        write(socket);
      };
    };
    await using server = await serveParts(
      {
        health: note("health", (socket) => {
          if (isFirst(socket)) socket.once("close", () => hasLost.resolve());
          else pageOf(load)(socket);
        }),
        // the loser's connection has to end while the units are still being asked for
        units: note("units", (socket) => void hasLost.promise.then(() => pageOf(units)(socket))),
      },
      "0.0.0.0",
    );
    const addresses = ["127.0.0.1", "127.0.0.2"];
    expect(await askAt(server, patient, ...addresses)).toMatchObject({
      address: "127.0.0.2",
      slower: ["127.0.0.1"],
      health: { failedUnits: ["a.service"] },
    });
    expect(asked).toEqual(["health 127.0.0.1", "health 127.0.0.2", "units 127.0.0.2"]);
  });
  test("is asked for by nobody who has been interrupted", async () => {
    const interrupt = new AbortController();
    await using server = await serveParts({
      health: pageOf(load),
      units: () => interrupt.abort(new Error("enough")),
    });
    const node = { instance: null, host: "pi1", port: server.port, source: "user" } as const;
    const texts = { serial: null, model: null, role: null, version: null };
    const addresses = [{ address: "127.0.0.1", family: 4, zone: null }] as const;
    const asked = failureOf(ask({ ...node, ...texts, addresses }, interrupt.signal, patient));
    expect(await asked).toEqual(new Error("enough"));
    await server.ended();
  });
});
