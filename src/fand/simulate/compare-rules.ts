import { replay, type Replay, type Rule } from "./replay.ts";
import { pi4 } from "./thermal-model.ts";
import type { Trace } from "./trace.ts";

export interface Compared {
  readonly trace: Trace;
  /** berry's first, then the original's without and with its bug. */
  readonly rules: readonly { readonly name: string; readonly replay: Replay }[];
  readonly berry: Replay;
  /** The original without its bug, which is the harder one to beat: it does not run at full speed for nothing. */
  readonly mended: Replay;
}

/** What each rule makes of a trace. */
export function compareRules(
  trace: Trace,
  rules: { readonly berry: Rule; readonly mended: Rule; readonly original: Rule },
): Compared {
  const berry = replay(trace, rules.berry, pi4);
  const mended = replay(trace, rules.mended, pi4);
  const original = replay(trace, rules.original, pi4);
  return {
    trace,
    berry,
    mended,
    rules: [
      { name: "berry", replay: berry },
      { name: "rpifand, mended", replay: mended },
      { name: "rpifand as it was", replay: original },
    ],
  };
}

/** How many of the other's changes are saved, in percent; 0 where there was none to save. */
export function savedPercent(changes: number, others: number): number {
  return others === 0 ? 0 : (1 - changes / others) * 100;
}
