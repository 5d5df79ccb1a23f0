import { type BenchOptions, benches, quickOptions, wholeOptions } from "./benches.ts";
import { readCommit, readLoad, readMachine } from "./machine.ts";
import { type Entry, type Measured, withEntry, withFailure } from "./measured.ts";
import { duration } from "./measured-document.ts";
import { commandOf, type Section, sections } from "./sections.ts";

/** How the sections are measured one after the other. */
export interface WholeRun {
  readonly measure: (section: Section, signal: AbortSignal) => Promise<Entry>;
  /** What is measured, for the note of a failure. */
  readonly commit: (signal: AbortSignal) => Promise<string>;
  readonly now: () => Date;
  /** Called whenever a section has come to an end, with all that there is. */
  readonly keep: (parts: Measured) => void;
  readonly say: (line: string) => void;
}

/**
 * Measures each of the sections; one that fails is noted, and the others go on.
 * @param parts what is there of a run before
 * @throws what the signal was aborted with
 */
export async function measureAll(
  wanted: readonly Section[],
  parts: Measured,
  { measure, commit, now, keep, say }: WholeRun,
  signal: AbortSignal,
): Promise<Measured> {
  let measured = parts;
  for (const [index, section] of wanted.entries()) {
    say(`${section.name}, ${index + 1} of ${wanted.length}`);
    const date = now().toISOString();
    try {
      // one after the other, on a machine that has nothing else to do
      // oxlint-disable-next-line no-await-in-loop
      measured = withEntry(measured, await measure(section, signal));
    } catch (thrown) {
      signal.throwIfAborted();
      const said = thrown instanceof Error ? thrown.message : String(thrown);
      say(`${section.name} failed: ${said}`);
      measured = withFailure(measured, {
        section: section.name,
        date,
        // oxlint-disable-next-line no-await-in-loop
        commit: await commit(signal),
        message: firstLine(said),
      });
    }
    keep(measured);
  }
  return measured;
}

/** Of what a program says on many lines; no more than fits into a document. */
function firstLine(text: string): string {
  const line = text.split("\n").find((each) => each.trim() !== "") ?? "";
  return line
    .trim()
    .replaceAll(/[`|<>]/g, "")
    .slice(0, 200);
}

/** Runs the bench of the section on this machine. */
export async function measureSection(
  section: Section,
  quick: boolean,
  emulator: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Entry> {
  const options: BenchOptions = { ...(quick ? quickOptions : wholeOptions), only: section.part };
  const commit = await readCommit(signal);
  const machine = await readMachine(emulator, signal);
  const load = await readLoad(signal);
  say(`load ${load.average}, processors ${load.busyPercent} % busy before ${section.name}`);
  const date = new Date();
  const result = await benches[section.bench].run(options, emulator, say, signal);
  return {
    section: section.name,
    date: date.toISOString(),
    commit,
    command: commandOf(section, quick),
    quick,
    machine,
    load,
    seconds: Math.round((Date.now() - date.getTime()) / 1000),
    result,
  };
}

/** What a run is to measure, and what of it is there already. */
export interface Choice {
  readonly only: ReadonlySet<string> | null;
  readonly skip: ReadonlySet<string>;
  readonly quick: boolean;
  /** null: begin anew; else what a run before has left. */
  readonly resume: Measured | null;
}

/** In the order of the document. What takes as long in a quick run is measured there when it is asked for by name. */
export function chooseSections({ only, skip, quick, resume }: Choice): Section[] {
  return sections.filter(
    (section: Section) =>
      (only?.has(section.name) ?? !(quick && section.quickSeconds === null)) &&
      !skip.has(section.name) &&
      !resume?.entries.some((entry) => entry.section === section.name && entry.quick === quick),
  );
}

/** How long it will take, by what it took before, and each section's part. */
export function describeEstimate(wanted: readonly Section[], quick: boolean, before: Measured): string {
  const times = wanted.map(({ name, seconds, quickSeconds }) => {
    const former = before.entries.find((entry) => entry.section === name && entry.quick === quick);
    return { name, seconds: former?.seconds ?? (quick ? (quickSeconds ?? seconds) : seconds) };
  });
  const all = times.reduce((sum, each) => sum + each.seconds, 0);
  const each = times.map(({ name, seconds }) => `${name} ${duration(seconds)}`).join(", ");
  return `${wanted.length} to measure, about ${duration(all)}: ${each}`;
}
