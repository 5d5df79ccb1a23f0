import { describe, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { ask } from "../../../../src/probe/health/ask-http.ts";
import type { Answer } from "../../../../src/probe/health.ts";
import type { Address, Sighting } from "../../../../src/probe/sighting.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { pageOf, type PageServer, servePage } from "../../../fixtures/page-server.ts";

const soon = { limitMilliseconds: 250, staggerMilliseconds: 20 };
const { signal } = new AbortController();

function sighting(port: number, ...addresses: readonly string[]): Sighting {
  const at = addresses.map((address): Address => {
    const [bare = "", zone = null] = address.split("%");
    return { address: bare, family: bare.includes(":") ? 6 : 4, zone };
  });
  const texts = { serial: null, model: null, role: null, version: null };
  return { instance: null, host: "pi1", addresses: at, port, ...texts, source: "user" };
}
const askAt = (server: PageServer, ...addresses: readonly string[]): Promise<Answer> =>
  ask(sighting(server.port, ...(addresses.length === 0 ? ["127.0.0.1"] : addresses)), signal, soon);

/** Writes as fast as it is read, until the reader goes away. */
function pour(socket: Socket, chunk: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk)) continue;
  };
  socket.on("drain", more);
  more();
}
const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n";

describe("a host is asked for its page", () => {
  test("and says how it is", async () => {
    await using server = await servePage(pageOf("# HELP x y\nnode_load1 0.5\n"));
    expect(await askAt(server)).toMatchObject({
      answer: "page",
      address: "127.0.0.1",
      health: { load1: 0.5 },
    });
    expect(server.requests[0]).toStartWith("GET /metrics?collect%5B%5D=cpu&");
  });
  test("and the last line needs no line feed", async () => {
    await using server = await servePage(pageOf("node_load1 0.5"));
    expect(await askAt(server)).toMatchObject({ answer: "page", health: { load1: 0.5 } });
  });
  test("in pieces of a byte each", async () => {
    await using server = await servePage((socket) => {
      socket.setNoDelay(true);
      for (const letter of `${head}node_uname_info{nodename="höhle"} 1\n`)
        for (const byte of Buffer.from(letter)) socket.write(new Uint8Array([byte]));
      socket.end();
    });
    expect(await askAt(server)).toMatchObject({ answer: "page", health: { hostName: "höhle" } });
  });
  test("itself, whatever proxy the environment names", async () => {
    await using server = await servePage(pageOf("node_load1 0.5\n"));
    const before = process.env["http_proxy"];
    process.env["http_proxy"] = "http://127.0.0.1:1";
    try {
      expect(await askAt(server)).toMatchObject({ answer: "page", health: { load1: 0.5 } });
    } finally {
      if (before === undefined) delete process.env["http_proxy"];
      else process.env["http_proxy"] = before;
    }
  });
  test("at its address of IPv6", async () => {
    await using server = await servePage(pageOf("node_load1 1\n"), "::1");
    expect(await askAt(server, "::1")).toMatchObject({ answer: "page", address: "::1" });
  });
  test("at the next address, where the first is deaf", async () => {
    await using server = await servePage((socket) => {
      if (socket.localAddress === "127.0.0.2") pageOf("node_load1 1\n")(socket);
    }, "0.0.0.0");
    expect(await askAt(server, "127.0.0.1", "127.0.0.2")).toMatchObject({
      answer: "page",
      address: "127.0.0.2",
      slower: ["127.0.0.1"],
    });
    await server.ended();
  });
  test("and a page wins over an answer that is none", async () => {
    await using server = await servePage((socket) => {
      if (socket.localAddress === "127.0.0.2") pageOf("node_load1 1\n")(socket);
      else pageOf("<html>", "HTTP/1.1 404 Not Found")(socket);
    }, "0.0.0.0");
    expect(await askAt(server, "127.0.0.1", "127.0.0.2")).toMatchObject({
      answer: "page",
      address: "127.0.0.2",
    });
  });
});

describe("whoever does not answer is dead", () => {
  test("where nobody listens", async () => {
    const server = await servePage(() => undefined);
    await server[Symbol.asyncDispose]();
    expect(await askAt(server)).toEqual({ answer: "none", why: "nobody listens there" });
  });
  test("where nothing ever comes", async () => {
    await using server = await servePage(() => undefined);
    expect(await askAt(server)).toEqual({ answer: "none", why: "no answer within 0.25 s", isLate: true });
    await server.ended();
  });
  test("where the page stops in the middle", async () => {
    await using server = await servePage((socket) => socket.write(`${head}node_load1 1\n`));
    expect(await askAt(server)).toEqual({ answer: "none", why: "no answer within 0.25 s", isLate: true });
    await server.ended();
  });
  test("where there is no address", async () => {
    expect(await ask(sighting(9100), signal, soon)).toEqual({
      answer: "none",
      why: "its name leads nowhere",
    });
  });
  test("and the user's own interrupt is no answer", async () => {
    await using server = await servePage(() => undefined);
    const interrupt = new AbortController();
    const asked = failureOf(ask(sighting(server.port, "127.0.0.1"), interrupt.signal));
    interrupt.abort(new Error("enough"));
    expect(await asked).toEqual(new Error("enough"));
    await server.ended();
  });
});

describe("whoever answers something else is garbage, and costs neither time nor memory", () => {
  const answers: readonly (readonly [what: string, answer: (socket: Socket) => void, why: string])[] = [
    ["a page of the web", pageOf("<html>hello</html>"), "answers, but is not node_exporter"],
    ["nothing", pageOf(""), "answers, but is not node_exporter"],
    ["404", pageOf("no", "HTTP/1.1 404 Not Found"), "answers with HTTP status 404"],
    [
      "a redirect to a page",
      pageOf("", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/metrics"),
      "answers with HTTP status 302",
    ],
    [
      "a bomb of gzip",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n");
        socket.end(gzipSync("node_load1 1\n".repeat(1_000_000)));
      },
      "answers in a coding that nobody asked for",
    ],
    ["a line without end", (socket) => pour(socket, head + "x".repeat(1 << 16)), "answers without end"],
    [
      "a label without end",
      (socket) => pour(socket, `${head}node_load1{x="${"x".repeat(1 << 16)}`),
      "answers without end",
    ],
    [
      "lines without end",
      (socket) => pour(socket, head + "node_load1 1\n".repeat(5000)),
      "answers without end",
    ],
  ];
  test.each(answers)("%s", async (_, answer, why) => {
    await using server = await servePage(answer);
    const patience = { ...soon, limitMilliseconds: 5000 };
    expect(await ask(sighting(server.port, "127.0.0.1"), signal, patience)).toEqual({
      answer: "garbage",
      why,
    });
    await server.ended();
  });
  test("a head without end", async () => {
    await using server = await servePage((socket) =>
      pour(socket, `HTTP/1.1 200 OK\r\n${`X-${"a".repeat(1000)}: b\r\n`.repeat(50)}`),
    );
    expect((await askAt(server)).answer).toBe("none");
    await server.ended();
  });
  test("what is no HTTP", async () => {
    await using server = await servePage((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
    expect((await askAt(server)).answer).not.toBe("page");
  });
});

describe("what does not speak HTTP is told in plain words", () => {
  test.each([
    ["an answer that is none", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "answers, but not as HTTP has it"],
    [
      "a head of too many fields",
      `HTTP/1.1 200 OK\r\n${"X: a\r\n".repeat(3000)}\r\n`,
      "answers, but not as HTTP has it",
    ],
    [
      "a length that is none",
      "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
      "answers, but not as HTTP has it",
    ],
    ["nothing at all", "", "the connection broke off"],
  ])("%s", async (_, text, why) => {
    await using server = await servePage((socket) => void socket.end(text));
    expect(await askAt(server)).toEqual({ answer: "none", why });
  });
});
