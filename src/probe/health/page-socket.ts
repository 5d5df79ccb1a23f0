import { connect, type Socket } from "node:net";
import type { Address } from "../sighting.ts";
import type { Page } from "./page-http.ts";

/** Far more than the head of any answer of node_exporter. */
const headBytes = 16 * 1024;

/**
 * One GET of a page, straight from its host, for what fetch cannot do: a link-local address has a zone (RFC 4007), which
 * URLs of the web have not; and a proxy that the environment names knows no nodes. HTTP/1.0 has neither chunks nor
 * connections that stay.
 * @throws what the network says, or the signal's reason
 */
export async function getPageDirectly(
  { address, family, zone }: Address,
  port: number,
  path: string,
  signal: AbortSignal,
): Promise<Page> {
  signal.throwIfAborted();
  const literal = family === 6 ? `[${address}]` : address;
  const socket = connect({ host: zone === null ? address : `${address}%${zone}`, port, family });
  const end = () => void socket.destroy();
  signal.addEventListener("abort", end, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", end));
  socket.once("connect", () => {
    socket.write(
      `GET ${path} HTTP/1.0\r\nHost: ${literal}:${port}\r\nUser-Agent: berry\r\nAccept: text/plain\r\nAccept-Encoding: identity\r\n\r\n`,
    );
  });
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  try {
    let head = new Uint8Array();
    for (;;) {
      const { done, value } = await chunks.next();
      signal.throwIfAborted();
      if (done === true) throw new Error("the connection was closed before an answer came");
      head = Buffer.concat([head, value]);
      const length = Buffer.from(head).indexOf("\r\n\r\n");
      if (length !== -1)
        return toPage(head, length, restOf(head.subarray(length + 4), chunks, socket, signal));
      if (head.length > headBytes) throw new Error("the head of the answer has no end");
    }
  } catch (thrown) {
    socket.destroy();
    signal.throwIfAborted();
    throw thrown;
  }
}

function toPage(head: Uint8Array, length: number, body: Page["body"]): Page {
  const [first = "", ...fields] = new TextDecoder().decode(head.subarray(0, length)).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
  if (Number.isNaN(status)) throw new Error("the answer is not of HTTP");
  const field = (name: string) =>
    fields
      .find((each) => each.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? null;
  return { status, contentEncoding: field("content-encoding") ?? field("transfer-encoding"), body };
}

async function* restOf(
  first: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
  socket: Socket,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  try {
    if (first.length > 0) yield first;
    for (;;) {
      const { done, value } = await chunks.next();
      signal.throwIfAborted();
      if (done === true) return;
      yield value;
    }
  } finally {
    socket.destroy();
  }
}
