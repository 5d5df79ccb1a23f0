import { z } from "zod";
import type { Load, Machine } from "./machine.ts";
import type { Result } from "./result.ts";

/** What a section of the document is made of, and where, when and of what it was measured. */
export interface Entry {
  /** Of its section. */
  readonly section: string;
  /** When it began: ISO 8601, UTC. */
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  /** As little work as possible: no figures to show. */
  readonly quick: boolean;
  readonly machine: Machine;
  /** Before it began. */
  readonly load: Load;
  readonly seconds: number;
  readonly result: Result;
}

/** The last try of a section, when it came to nothing; figures of before stay. */
export interface Failure {
  readonly section: string;
  readonly date: string;
  readonly commit: string;
  /** One line. */
  readonly message: string;
}

/** At most one of either a section. */
export interface Measured {
  readonly entries: readonly Entry[];
  readonly failures: readonly Failure[];
}

export const nothingMeasured: Measured = { entries: [], failures: [] };

const figureSchema = z.strictObject({
  bench: z.string(),
  variant: z.string().optional(),
  name: z.string(),
  unit: z.enum(["s", "MiB", "%"]),
  berry: z.array(z.number()).min(1),
  other: z.array(z.number()).min(1),
});

const costSchema = z.strictObject({
  seconds: z.number(),
  residentBytes: z.number(),
  anonymousBytes: z.number(),
  proportionalBytes: z.number(),
  cpuSeconds: z.number(),
  wakeups: z.number(),
  logBytes: z.number(),
  dutyWrites: z.number().nullable(),
});

const resultSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("figures"), figures: z.array(figureSchema).min(1) }),
  z.strictObject({
    kind: z.literal("costs"),
    costs: z.strictObject({
      versions: z.string(),
      tables: z.array(
        z.strictObject({
          part: z.string(),
          title: z.string(),
          columns: z.array(z.strictObject({ name: z.string(), cost: costSchema })),
        }),
      ),
      missing: z.string().nullable(),
    }),
  }),
]);

const measuredSchema: z.ZodType<Measured> = z.strictObject({
  entries: z.array(
    z.strictObject({
      section: z.string(),
      date: z.iso.datetime(),
      commit: z.string(),
      command: z.string(),
      quick: z.boolean(),
      machine: z.strictObject({
        processor: z.string(),
        cores: z.number(),
        memoryGib: z.number(),
        kernel: z.string(),
        qemu: z.string(),
        bun: z.string(),
      }),
      load: z.strictObject({ average: z.number(), busyPercent: z.number() }),
      seconds: z.number(),
      result: resultSchema,
    }),
  ),
  failures: z.array(
    z.strictObject({
      section: z.string(),
      date: z.iso.datetime(),
      commit: z.string(),
      message: z.string(),
    }),
  ),
});

/** @throws Error for what {@link measuredText} does not write */
export function parseMeasured(text: string): Measured {
  return measuredSchema.parse(JSON.parse(text));
}

/** JSON, ending in a line end. */
export function measuredText(measured: Measured): string {
  return `${JSON.stringify(measured, null, 2)}\n`;
}

/** A section is measured anew: what it was before is forgotten, a failure, too. */
export function withEntry({ entries, failures }: Measured, entry: Entry): Measured {
  return {
    entries: [...entries.filter(({ section }) => section !== entry.section), entry],
    failures: failures.filter(({ section }) => section !== entry.section),
  };
}

/** A section came to nothing: figures of before stay. */
export function withFailure({ entries, failures }: Measured, failure: Failure): Measured {
  return { entries, failures: [...failures.filter(({ section }) => section !== failure.section), failure] };
}

/** Of every section what is newer. A failure is told only where nothing was measured after it. */
export function newestOf(before: Measured, parts: Measured): Measured {
  const later = <Dated extends { section: string; date: string }>(all: readonly Dated[]): Dated[] =>
    all.filter(({ section, date }) => !all.some((each) => each.section === section && each.date > date));
  const unique = <Dated extends { section: string }>(all: readonly Dated[]): Dated[] => [
    ...new Map(all.map((each) => [each.section, each])).values(),
  ];
  const entries = unique(later([...before.entries, ...parts.entries]));
  const failures = unique(later([...before.failures, ...parts.failures]));
  return {
    entries,
    failures: failures.filter(
      ({ section, date }) => !entries.some((each) => each.section === section && each.date > date),
    ),
  };
}
