import { describe, expect, test } from "bun:test";
import type { Page } from "../../../../src/probe/health/page-http.ts";
import { getPageDirectly } from "../../../../src/probe/health/page-socket.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { pageOf, servePage } from "../../../fixtures/page-server.ts";

const { signal } = new AbortController();
// the loopback's own zone: every machine has it
const get = (port: number, by: AbortSignal = signal) =>
  getPageDirectly({ address: "::1", family: 6, zone: "lo" }, port, "/metrics", by);

async function textOf({ body }: Page): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("a page at a link-local address", () => {
  test("is read from its head to its end", async () => {
    const body = "node_load1 1\n".repeat(10_000);
    await using server = await servePage(pageOf(body, "HTTP/1.0 200 OK"), "::1");
    const page = await get(server.port);
    expect(page).toMatchObject({ status: 200, contentEncoding: null });
    expect(await textOf(page)).toBe(body);
    expect(server.requests[0]).toStartWith("GET /metrics HTTP/1.0\r\nHost: [::1]:");
    await server.ended();
  });
  test("or at any other", async () => {
    await using server = await servePage(pageOf("node_load1 1\n"));
    const page = await getPageDirectly(
      { address: "127.0.0.1", family: 4, zone: null },
      server.port,
      "/metrics",
      signal,
    );
    expect(await textOf(page)).toBe("node_load1 1\n");
    expect(server.requests[0]).toContain(`\r\nHost: 127.0.0.1:${server.port}\r\n`);
  });
  test("comes in pieces", async () => {
    await using server = await servePage((socket) => {
      socket.setNoDelay(true);
      for (const byte of Buffer.from("HTTP/1.0 404 Not Found\r\nContent-Encoding: gzip\r\n\r\nno"))
        socket.write(new Uint8Array([byte]));
      socket.end();
    }, "::1");
    const page = await get(server.port);
    expect(page).toMatchObject({ status: 404, contentEncoding: "gzip" });
    expect(await textOf(page)).toBe("no");
  });
  test.each([
    ["the answer is not of HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["the connection was closed before an answer came", "HTTP/1.0 200 OK\r\n"],
    ["the head of the answer has no end", `HTTP/1.0 200 OK\r\nX: ${"x".repeat(100_000)}`],
  ])("fails, for %s", async (message, answer) => {
    await using server = await servePage((socket) => socket.end(answer), "::1");
    expect(await failureOf(get(server.port))).toEqual(new Error(message));
    await server.ended();
  });
  test("is given up when nobody wants it any more", async () => {
    await using server = await servePage(() => interrupt.abort(new Error("enough")), "::1");
    const interrupt = new AbortController();
    expect(await failureOf(get(server.port, interrupt.signal))).toEqual(new Error("enough"));
    await server.ended();
  });
});
