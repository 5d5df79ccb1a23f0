import { benches, type BenchOptions, quickOptions, wholeOptions } from "./benches/benches.ts";
import { describeMachine, readCommit, readMachine } from "./benches/machine.ts";
import { newestOf, nothingMeasured } from "./benches/measured.ts";
import {
  forgetParts,
  keepParts,
  type MeasuredFiles,
  ownFiles,
  readMeasured,
  writeMeasured,
} from "./benches/measured-file.ts";
import { resultTables } from "./benches/result.ts";
import { chooseSections, describeEstimate, measureAll, measureSection } from "./benches/whole.ts";
import { type Asked, parseWords, usage } from "./benches/words.ts";

const emulator = Bun.which("qemu-aarch64-static") ?? Bun.which("qemu-aarch64");

function complain(error: unknown, hint: string): void {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}\nhint: ${hint}`);
}

const say = (line: string) => console.error(line);

/** One bench, whose tables go to standard output. */
async function one(
  { bench, options }: Extract<Asked, { kind: "one" }>,
  emulator: string,
  signal: AbortSignal,
): Promise<number> {
  const wishes: BenchOptions = { ...(options.quick ? quickOptions : wholeOptions), ...options };
  const result = await benches[bench].run(wishes, emulator, say, signal);
  const machine = describeMachine(await readMachine(emulator, signal));
  const day = new Date().toISOString().slice(0, 10);
  console.log(`${machine}, berry ${await readCommit(signal)}, ${day}\n\n${resultTables(result)}`);
  return 0;
}

/** All of them, into the document. */
async function whole(
  { files, quick, only, skip, resume }: Extract<Asked, { kind: "whole" }>,
  emulator: string,
  signal: AbortSignal,
): Promise<number> {
  const before = await readMeasured(files.data);
  const parts = await readMeasured(files.parts);
  const wanted = chooseSections({ only, skip, quick, resume: resume ? parts : null });
  if (resume)
    for (const { section, commit, date } of parts.entries) say(`kept: ${section}, at ${commit} on ${date}`);
  say(describeEstimate(wanted, quick, newestOf(before, parts)));
  const measured = await measureAll(
    wanted,
    parts,
    {
      measure: async (section) => await measureSection(section, quick, emulator, say, signal),
      commit: readCommit,
      now: () => new Date(),
      keep: (kept) => keepParts(files, kept),
      say,
    },
    signal,
  );
  say(`written: ${(await writeMeasured(files, newestOf(before, measured))).join(", ")}`);
  const failed = wanted.filter(({ name }) => measured.failures.some(({ section }) => section === name));
  if (failed.length === 0) {
    await forgetParts(files);
    return 0;
  }
  complain(
    `not measured: ${failed.map(({ name }) => name).join(", ")}`,
    "the same with --resume tries these again and keeps the others",
  );
  return 1;
}

async function render(files: MeasuredFiles): Promise<number> {
  say(`written: ${(await writeMeasured(files, await readMeasured(files.data))).join(", ")}`);
  return 0;
}

async function run(asked: Exclude<Asked, { kind: "help" }>): Promise<number> {
  if (asked.kind === "render") return await render(ownFiles);
  if (process.getuid?.() !== 0) {
    complain("the other ways need root: loop devices and mounts", "sudo scripts/bench");
    return 77;
  }
  if (emulator === null) {
    complain("there is no qemu-aarch64-static", "install qemu-user-static");
    return 69;
  }
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    // the second one ends even what waits for something that never comes
    process.once(name, () => abort.abort(new Error(`ended by ${name}`)));
  try {
    switch (asked.kind) {
      case "one":
        return await one(asked, emulator, abort.signal);
      case "whole":
        return await whole(asked, emulator, abort.signal);
    }
  } catch (error) {
    if (asked.kind === "one") {
      complain(error, "nothing was measured to the end");
      return 1;
    }
    const { entries } = await readMeasured(asked.files.parts).catch(() => nothingMeasured);
    const done = entries.map(({ section }) => section).join(", ");
    complain(
      error,
      done === "" ? "nothing was measured to the end" : `kept: ${done}; the same with --resume goes on`,
    );
    return abort.signal.aborted ? 130 : 1;
  }
}

async function main(): Promise<number> {
  let asked: Asked;
  try {
    asked = parseWords(process.argv.slice(2));
  } catch (error) {
    complain(error, "scripts/bench --help");
    return 64;
  }
  if (asked.kind === "help") {
    console.log(usage);
    return 0;
  }
  return await run(asked);
}

process.exitCode = await main();
