import type { BenchName } from "./benches.ts";

/** What is measured, kept and shown by itself: a bench, or a part of one. */
export interface Section {
  readonly name: string;
  readonly bench: BenchName;
  /** null: all that the bench has. */
  readonly part: string | null;
  /** How long it takes, roughly, on two cores; null: as long in a quick run as otherwise, which leaves it out. */
  readonly seconds: number;
  readonly quickSeconds: number | null;
}

/** In the order of the document. */
export const sections = [
  { name: "bake-arch", bench: "bake", part: "arch", seconds: 420, quickSeconds: 60 },
  { name: "bake-debian", bench: "bake", part: "debian", seconds: 1900, quickSeconds: null },
  { name: "bake-warm", bench: "bake", part: "warm", seconds: 90, quickSeconds: 40 },
  { name: "fleet-shared", bench: "fleet", part: "shared", seconds: 120, quickSeconds: 60 },
  { name: "fleet-plain", bench: "fleet", part: "plain", seconds: 120, quickSeconds: 60 },
  { name: "write-card", bench: "write", part: "card", seconds: 300, quickSeconds: 25 },
  { name: "write-dd", bench: "write", part: "dd", seconds: 290, quickSeconds: 45 },
  { name: "write-disk", bench: "write", part: "disk", seconds: 70, quickSeconds: 15 },
  { name: "write-memory", bench: "write", part: "memory", seconds: 80, quickSeconds: 15 },
  { name: "write-four", bench: "write", part: "four", seconds: 300, quickSeconds: 25 },
  { name: "fand", bench: "fand", part: null, seconds: 160, quickSeconds: 25 },
  { name: "probe", bench: "probe", part: null, seconds: 90, quickSeconds: 35 },
] as const satisfies readonly Section[];

export type SectionName = (typeof sections)[number]["name"];

/**
 * The sections of comma-separated names: of sections, or of benches for all that they have.
 * @throws Error that names what there is
 */
export function namedSections(option: string, words: readonly string[]): ReadonlySet<string> {
  const names = words.flatMap((word) => word.split(","));
  return new Set(
    names.flatMap((name) => {
      const found = sections.filter((section) => section.name === name || section.bench === name);
      if (found.length === 0)
        throw new Error(`${option} takes ${sections.map((each) => each.name).join(", ")}, got ${name}`);
      return found.map((section) => section.name);
    }),
  );
}

/** How to measure it alone. */
export function commandOf({ bench, part }: Section, quick: boolean): string {
  return `scripts/bench ${bench}${part === null ? "" : ` --only ${part}`}${quick ? " --quick" : ""}`;
}
