import { codeOf, messageOf } from "../../core/errors.ts";
import type { Answer, Health } from "../health.ts";
import type { Address } from "../sighting.ts";
import { collectHealth } from "./collect-health.ts";
import { healthCollectors, pagePath, unitCollectors } from "./collectors.ts";
import { readLines } from "./lines-http.ts";
import { getPage, type Page } from "./page-http.ts";
import { filteredPageBytes, wholePageBytes } from "./page-lines.ts";

/** What came of asking at one address. */
export type AddressAnswer =
  | { readonly answer: "page"; readonly health: Health; readonly isWhole: boolean }
  | Exclude<Answer, { readonly answer: "page" }>;

/** Of a refusal, which is a sentence. */
const refusalBytes = 512;

/**
 * Asks for what berry reads of a page but the units; without the collectors that the node says it has not; and for the
 * whole page, which may take long, where the answer is a refusal that names none of them.
 * @returns whatever came of it, the signal's abort included: it throws nothing
 */
export async function askAddress(at: Address, port: number, signal: AbortSignal): Promise<AddressAnswer> {
  try {
    let collectors: readonly string[] = healthCollectors;
    let page = await getPage(at, port, pagePath(collectors), signal);
    while (page.status === 400 && collectors.length > 0) {
      const refused = refusedCollector(await startOf(page));
      collectors = collectors.includes(refused) ? collectors.filter((name) => name !== refused) : [];
      page = await getPage(at, port, pagePath(collectors), signal);
    }
    const isWhole = collectors.length === 0;
    const collector = collectHealth();
    const why = await takeLines(page, isWhole ? wholePageBytes : filteredPageBytes, collector.take, signal);
    if (why !== null) return { answer: "garbage", why };
    const health = collector.finish();
    if (health === null) return { answer: "garbage", why: "answers, but is not node_exporter" };
    return { answer: "page", health, isWhole };
  } catch (thrown) {
    return { answer: "none", why: reasonOf(thrown) };
  }
}

/** The collector that node_exporter has not, or not enabled, by the first words of its refusal; "": it names none. */
function refusedCollector(text: string): string {
  return /(?:missing|disabled) collector: (\w+)\s*$/.exec(text)?.[1] ?? "";
}

async function startOf({ body }: Page): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    const piece = chunk.subarray(0, refusalBytes - bytes);
    text += decoder.decode(piece, { stream: true });
    bytes += piece.length;
    if (bytes >= refusalBytes) break;
  }
  return text;
}

/**
 * Asks which units have failed: nothing else of that page is believed, and nothing of one that is not whole.
 * @returns null where it does not say so, or the signal is aborted: it throws nothing
 */
export async function askUnits(
  at: Address,
  port: number,
  signal: AbortSignal,
): Promise<Health["failedUnits"]> {
  try {
    const page = await getPage(at, port, pagePath(unitCollectors), signal);
    const collector = collectHealth();
    const why = await takeLines(page, filteredPageBytes, collector.take, signal);
    return why === null ? (collector.finish()?.failedUnits ?? null) : null;
  } catch {
    return null;
  }
}

/** @returns null when the last line has been taken, else why the answer is none of node_exporter's */
async function takeLines(
  page: Page,
  mostBytes: number,
  take: (line: string) => void,
  signal: AbortSignal,
): Promise<string | null> {
  const { status, contentEncoding, body } = page;
  if (status !== 200) {
    await leave(page);
    return `answers with HTTP status ${status}`;
  }
  if (contentEncoding !== null && contentEncoding !== "identity") {
    await leave(page);
    return "answers in a coding that nobody asked for";
  }
  return (await readLines(body, mostBytes, take, signal)) ? null : "answers without end";
}

/** Leaves the body where it is, which ends the connection. */
async function leave({ body }: Page): Promise<void> {
  for await (const _ of body) break;
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
