import { ofetch, type FetchOptions } from "ofetch";
import type { Address } from "../sighting.ts";

/** The head of an answer, and its body as it comes. */
export interface Page {
  readonly status: number;
  /** As the server names it; null: none. */
  readonly contentEncoding: string | null;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * One GET of a page. Redirects are not followed and nothing is unpacked: whoever answers may be anybody.
 * @param path with its query, escaped
 * @throws what the network says, or the signal's reason
 */
export async function getPage(at: Address, port: number, path: string, signal: AbortSignal): Promise<Page> {
  const zone = at.family === 6 && /^fe[89ab]/i.test(at.address) ? at.zone : null;
  if (zone === null && !hasProxy(process.env)) return fetchPage(at, port, path, signal);
  return (await import("./page-socket.ts")).getPageDirectly({ ...at, zone }, port, path, signal);
}

/** Whether fetch would ask a proxy for a page of http. */
function hasProxy(env: NodeJS.ProcessEnv): boolean {
  return ["http_proxy", "HTTP_PROXY"].some((name) => (env[name] ?? "") !== "");
}

async function fetchPage(
  { address, family }: Address,
  port: number,
  path: string,
  signal: AbortSignal,
): Promise<Page> {
  const options: FetchOptions<"stream"> & { readonly decompress: false } = {
    headers: { "user-agent": "berry", accept: "text/plain", "accept-encoding": "identity" },
    responseType: "stream",
    ignoreResponseError: true,
    redirect: "manual",
    retry: false,
    decompress: false,
    keepalive: false,
    signal,
  };
  const host = family === 6 ? `[${address}]` : address;
  const response: Response = await ofetch.raw(`http://${host}:${port}${path}`, options);
  return {
    status: response.status,
    contentEncoding: response.headers.get("content-encoding"),
    body: chunksOf(response, signal),
  };
}

async function* chunksOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const onAbort = () => void reader.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    await reader.cancel().catch(() => undefined);
  }
}
