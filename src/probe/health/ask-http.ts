import { codeOf, messageOf } from "../../core/errors.ts";
import type { Answer } from "../health.ts";
import type { Address, Sighting } from "../sighting.ts";
import { collectHealth } from "./collect-health.ts";
import { getPage, type Page } from "./page-http.ts";
import { pageLines } from "./page-lines.ts";

/** How long a node is waited for. */
export interface Patience {
  /** For all its addresses together, the last byte of the page included. */
  readonly limitMilliseconds: number;
  /** An address that has not answered so long gets company (RFC 8305, section 5): a busy Pi takes 200 for its page. */
  readonly staggerMilliseconds: number;
}

const usualPatience: Patience = { limitMilliseconds: 1000, staggerMilliseconds: 250 };
/** A node has a few; who claims more is not believed. */
const mostAddresses = 8;

/**
 * Asks a host for its page, at all its addresses, one after the other and then at once; the first page wins.
 * @returns what came of it, after `limitMilliseconds` at the latest
 * @throws the signal's reason alone
 */
export async function ask(
  sighting: Sighting,
  signal: AbortSignal,
  patience: Patience = usualPatience,
): Promise<Answer> {
  signal.throwIfAborted();
  const began = performance.now();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const elapsed = () => Math.round(performance.now() - began);
  const aborted = Promise.withResolvers<Answer>();
  const onAbort = () => aborted.resolve(noAnswer(patience));
  either.addEventListener("abort", onAbort, { once: true });
  const limit = setTimeout(() => over.abort(), patience.limitMilliseconds);
  try {
    const race = raceAddresses(
      sighting.addresses.slice(0, mostAddresses),
      patience.staggerMilliseconds,
      (address) => askAddress(address, sighting.port, elapsed, either),
    );
    const answer = await Promise.race([race, aborted.promise]);
    signal.throwIfAborted();
    return answer;
  } finally {
    clearTimeout(limit);
    either.removeEventListener("abort", onAbort);
    over.abort();
  }
}

function noAnswer({ limitMilliseconds }: Patience): Answer {
  return { answer: "none", why: `no answer within ${limitMilliseconds / 1000} s` };
}

/** The first page; without one, the answer that says most. Nobody is asked any more once there is a page. */
async function raceAddresses(
  addresses: readonly Address[],
  staggerMilliseconds: number,
  askOne: (address: Address) => Promise<Answer>,
): Promise<Answer> {
  const page = Promise.withResolvers<Answer>();
  const others: Answer[] = [];
  let isOver = false;
  const tryOne = async (address: Address) => {
    const answer = await askOne(address);
    if (answer.answer === "page") {
      isOver = true;
      const before = addresses.slice(0, addresses.indexOf(address));
      page.resolve({ ...answer, slower: before.map((each) => each.address) });
    } else others.push(answer);
  };
  const started: Promise<void>[] = [];
  for (const address of addresses) {
    if (isOver) break;
    const asked = tryOne(address);
    started.push(asked);
    if (started.length < addresses.length)
      await Promise.race([asked, page.promise, pause(staggerMilliseconds)]);
  }
  const all = Promise.all(started).then(
    () => others.find(({ answer }) => answer === "garbage") ?? others[0] ?? nowhere,
  );
  return Promise.race([page.promise, all]);
}

/** Holds no process up that has its answer. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds).unref());
}

const nowhere: Answer = { answer: "none", why: "its name leads nowhere" };

async function askAddress(
  at: Address,
  port: number,
  elapsed: () => number,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const page = await open(at, port, signal);
    if (page.status !== 200) return garbage(`answers with HTTP status ${page.status}`, page);
    if (page.contentEncoding !== null && page.contentEncoding !== "identity")
      return garbage("answers in a coding that nobody asked for", page);
    const collector = collectHealth();
    const lines = pageLines(collector.take);
    for await (const chunk of page.body)
      if (!lines.push(chunk)) return { answer: "garbage", why: "answers without end" };
    lines.end();
    const health = collector.finish();
    if (health === null) return { answer: "garbage", why: "answers, but is not node_exporter" };
    return { answer: "page", health, milliseconds: elapsed(), address: at.address, slower: [] };
  } catch (thrown) {
    return { answer: "none", why: reasonOf(thrown) };
  }
}

async function open(at: Address, port: number, signal: AbortSignal): Promise<Page> {
  const zone = at.family === 6 && /^fe[89ab]/i.test(at.address) ? at.zone : null;
  if (zone === null && !hasProxy(process.env)) return getPage(at, port, signal);
  return (await import("./page-socket.ts")).getPageDirectly({ ...at, zone }, port, signal);
}

/** Whether fetch would ask a proxy for a page of http. */
function hasProxy(env: NodeJS.ProcessEnv): boolean {
  return ["http_proxy", "HTTP_PROXY"].some((name) => (env[name] ?? "") !== "");
}

/** Leaves the body where it is, which ends the connection. */
async function garbage(why: string, { body }: Page): Promise<Answer> {
  for await (const _ of body) break;
  return { answer: "garbage", why };
}

/** In the words of people; the network says it in many. */
function reasonOf(thrown: unknown): string {
  const text = messageOf(thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown);
  if (/ECONNREFUSED/.test(text)) return "nobody listens there";
  if (/EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EINVAL/.test(text)) return "out of reach";
  if (/ECONNRESET|socket connection was closed/i.test(text)) return "the connection broke off";
  if (/abort|timed? ?out/i.test(text)) return "no answer in time";
  if (/headers? ?too ?large|the head of the answer has no end/i.test(text))
    return "answers with a head that has no end";
  if (/http|malformed|invalid|chunk|coding|decompress/i.test(codeOf(causeOf(thrown)) ?? text))
    return "answers, but not as HTTP has it";
  if (/was closed before/.test(text)) return "the connection broke off";
  const number = /\bE[A-Z]{3,}\b/.exec(text)?.[0];
  return number === undefined ? "no page could be read" : `no page could be read (${number})`;
}

function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
}
