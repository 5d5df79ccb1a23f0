import { bakeParts, benchBake } from "./bake.ts";
import { benchFand, fandParts } from "./fand.ts";
import { benchFleet, fleetParts } from "./fleet.ts";
import { benchProbe, probeParts } from "./probe.ts";
import type { Result } from "./result.ts";
import { benchWrite, writeParts } from "./write.ts";

/** What is asked of a bench. */
export interface BenchOptions {
  /** null: what each part takes by default. */
  readonly runs: number | null;
  /** One of the bench's parts; null: all of them. */
  readonly only: string | null;
  readonly megabytes: number;
  readonly seconds: number;
  /** As little work as shows that the bench works. */
  readonly quick: boolean;
}

export const wholeOptions: BenchOptions = {
  runs: null,
  only: null,
  megabytes: 400,
  seconds: 60,
  quick: false,
};

export const quickOptions: BenchOptions = { runs: 1, only: null, megabytes: 20, seconds: 5, quick: true };

export interface Bench {
  readonly summary: string;
  readonly parts: readonly string[];
  readonly run: (
    options: BenchOptions,
    emulator: string,
    say: (line: string) => void,
    signal: AbortSignal,
  ) => Promise<Result>;
}

export type BenchName = "bake" | "fand" | "fleet" | "probe" | "write";

export const benches: Readonly<Record<BenchName, Bench>> = {
  bake: {
    summary: "a whole SD-card image, from nothing (arch, debian) and for one more node (warm)",
    parts: bakeParts,
    run: async (options, ...rest) => ({
      kind: "figures",
      figures: await benchBake({ ...options, only: oneOf(bakeParts, options) }, ...rest),
    }),
  },
  fand: {
    summary: "what the fan daemon costs, against fancontrol, a loop in Python and a daemon in Go",
    parts: fandParts,
    run: async (options, _, ...rest) => ({
      kind: "costs",
      costs: await benchFand({ ...options, only: oneOf(fandParts, options) }, ...rest),
    }),
  },
  fleet: {
    summary: "one, five and twenty nodes where all is cached, against as many copies of the image",
    parts: fleetParts,
    run: async (options, ...rest) => ({
      kind: "figures",
      figures: await benchFleet({ ...options, only: oneOf(fleetParts, options) }, ...rest),
    }),
  },
  probe: {
    summary: "sixteen nodes found and asked, against avahi-browse and two libraries",
    parts: probeParts,
    run: async (options, _, ...rest) => ({
      kind: "figures",
      figures: await benchProbe({ ...options, only: oneOf(probeParts, options) }, ...rest),
    }),
  },
  write: {
    summary:
      "a card, written and read back, against bmaptool and dd that do the same, and four cards against one",
    parts: writeParts,
    run: async (options, ...rest) => ({
      kind: "figures",
      figures: await benchWrite({ ...options, only: oneOf(writeParts, options) }, ...rest),
    }),
  },
};

function oneOf<Part extends string>(parts: readonly Part[], { only }: BenchOptions): Part | null {
  return parts.find((part) => part === only) ?? null;
}
