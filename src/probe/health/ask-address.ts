import { codeOf, messageOf } from "../../core/errors.ts";
import type { Answer, Health } from "../health.ts";
import type { Address } from "../sighting.ts";
import { collectHealth } from "./collect-health.ts";
import { healthCollectors, pagePath, unitCollectors } from "./collectors.ts";
import { getPage, type Page } from "./page-http.ts";
import { pageLines } from "./page-lines.ts";

/** What came of asking at one address. */
export type AddressAnswer =
  | { readonly answer: "page"; readonly health: Health; readonly isWhole: boolean }
  | Exclude<Answer, { readonly answer: "page" }>;

/**
 * Asks for what berry reads of a page but the units, and for the whole page where that is refused.
 * @returns whatever came of it, the signal's abort included: it throws nothing
 */
export async function askAddress(at: Address, port: number, signal: AbortSignal): Promise<AddressAnswer> {
  try {
    let page = await getPage(at, port, pagePath(healthCollectors), signal);
    const isWhole = page.status === 400;
    if (isWhole) {
      await leave(page);
      page = await getPage(at, port, pagePath([]), signal);
    }
    const collector = collectHealth();
    const why = await takeLines(page, collector.take);
    if (why !== null) return { answer: "garbage", why };
    const health = collector.finish();
    if (health === null) return { answer: "garbage", why: "answers, but is not node_exporter" };
    return { answer: "page", health, isWhole };
  } catch (thrown) {
    return { answer: "none", why: reasonOf(thrown) };
  }
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
    const why = await takeLines(page, collector.take);
    return why === null ? (collector.finish()?.failedUnits ?? null) : null;
  } catch {
    return null;
  }
}

/** @returns null when the last line has been taken, else why the answer is none of node_exporter's */
async function takeLines(page: Page, take: (line: string) => void): Promise<string | null> {
  const { status, contentEncoding, body } = page;
  if (status !== 200) {
    await leave(page);
    return `answers with HTTP status ${status}`;
  }
  if (contentEncoding !== null && contentEncoding !== "identity") {
    await leave(page);
    return "answers in a coding that nobody asked for";
  }
  const lines = pageLines(take);
  for await (const chunk of body) if (!lines.push(chunk)) return "answers without end";
  lines.end();
  return null;
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
