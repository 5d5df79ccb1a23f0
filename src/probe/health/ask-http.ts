import type { Answer } from "../health.ts";
import type { Address, Sighting } from "../sighting.ts";
import { type AddressAnswer, askAddress, askUnits } from "./ask-address.ts";

export interface AskOptions {
  /** How long a node is waited for: all its addresses together, the last byte of the last page included. */
  readonly limitMilliseconds?: number;
  /** An address that has not answered so long gets company (RFC 8305, section 5): a busy Pi takes 200 for its page. */
  readonly staggerMilliseconds?: number;
  /** Whether the units are left alone. */
  readonly isWithoutUnits?: boolean;
}

/** A node has a few; who claims more is not believed. */
const mostAddresses = 8;

/**
 * Asks a host how it is, at all its addresses, one after the other and then at once; the first page wins. Then, where
 * that was, for its units: without them, or where they are late, it lives all the same.
 * @returns what came of it, after `limitMilliseconds` at the latest
 * @throws the signal's reason alone
 */
export async function ask(
  { addresses, port }: Sighting,
  signal: AbortSignal,
  { limitMilliseconds = 1000, staggerMilliseconds = 250, isWithoutUnits = false }: AskOptions = {},
): Promise<Answer> {
  signal.throwIfAborted();
  const began = performance.now();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const late = Promise.withResolvers<"late">();
  const onAbort = () => late.resolve("late");
  either.addEventListener("abort", onAbort, { once: true });
  const limit = setTimeout(() => over.abort(), limitMilliseconds);
  const inTime = async <T>(asked: Promise<T>): Promise<T | "late"> => {
    const first = await Promise.race([asked, late.promise]);
    signal.throwIfAborted();
    return first;
  };
  try {
    const raced = await inTime(
      raceAddresses(
        addresses.slice(0, mostAddresses),
        staggerMilliseconds,
        (address, race) => askAddress(address, port, race),
        either,
      ),
    );
    if (raced === "late")
      return { answer: "none", why: `no answer within ${limitMilliseconds / 1000} s`, isLate: true };
    if (raced.answer !== "page") return raced;
    const { health, at, slower } = raced;
    const milliseconds = Math.round(performance.now() - began);
    const page = { answer: "page", health, milliseconds, address: at.address, slower } as const;
    if (isWithoutUnits || raced.isWhole || health.failedUnits !== null) return page;
    const failedUnits = await inTime(askUnits(at, port, either));
    return failedUnits === "late"
      ? { ...page, isLate: true }
      : { ...page, health: { ...health, failedUnits } };
  } finally {
    clearTimeout(limit);
    either.removeEventListener("abort", onAbort);
    over.abort();
  }
}

type AddressPage = Extract<AddressAnswer, { readonly answer: "page" }>;
type Raced =
  | (AddressPage & { readonly at: Address; readonly slower: readonly string[] })
  | Exclude<AddressAnswer, AddressPage>;

const nowhere: Raced = { answer: "none", why: "its name leads nowhere" };

/** The first page; without one, the answer that says most. Nobody is asked any more once there is a page. */
async function raceAddresses(
  addresses: readonly Address[],
  staggerMilliseconds: number,
  askOne: (address: Address, signal: AbortSignal) => Promise<AddressAnswer>,
  signal: AbortSignal,
): Promise<Raced> {
  const page = Promise.withResolvers<Raced>();
  const others: Exclude<AddressAnswer, AddressPage>[] = [];
  const won = new AbortController();
  const race = AbortSignal.any([signal, won.signal]);
  const tryOne = async (at: Address) => {
    const answer = await askOne(at, race);
    if (answer.answer === "page") {
      const before = addresses.slice(0, addresses.indexOf(at));
      page.resolve({ ...answer, at, slower: before.map(({ address }) => address) });
      won.abort();
    } else others.push(answer);
  };
  const started: Promise<void>[] = [];
  for (const address of addresses) {
    if (race.aborted) break;
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
