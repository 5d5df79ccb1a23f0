import { BerryError } from "../core/errors.ts";

const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interruption extends Disposable {
  /** Aborted by the first of the signals, with a BerryError `interrupted` as its reason. */
  readonly signal: AbortSignal;
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP into one AbortSignal, so that what was taken is given back.
 * The second one finds the system's own handler again and ends the process at once.
 */
export function listenForSignals(): Interruption {
  const controller = new AbortController();
  const restore = () => {
    for (const name of names) process.off(name, listener);
  };
  const listener = (name: NodeJS.Signals) => {
    restore();
    controller.abort(new BerryError("interrupted", `interrupted by ${name}`));
  };
  for (const name of names) process.on(name, listener);
  return { signal: controller.signal, [Symbol.dispose]: restore };
}
