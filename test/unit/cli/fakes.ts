import type { Output } from "../../../src/cli/output.ts";
import { runCommandLine } from "../../../src/cli/run.ts";
import { defineGroup, defineVerb, type Group, type Verb } from "../../../src/cli/verb.ts";
import { createLog } from "../../../src/system/log.ts";
import type { Clock } from "../../../src/core/ports.ts";

export interface Recorded extends Output {
  text(): string;
}

/** An output that keeps what is written to it. */
export function recorder(facts: Partial<Pick<Output, "isTerminal" | "columns" | "color">> = {}): Recorded {
  let text = "";
  return {
    isTerminal: false,
    columns: 80,
    color: false,
    ...facts,
    write(more) {
      text += more;
    },
    text: () => text,
  };
}

export interface FakeClock extends Clock {
  /** Moves time on, and wakes who has slept long enough. */
  advance(milliseconds: number): Promise<void>;
}

export function fakeClock(): FakeClock {
  let now = 1_000_000;
  let sleepers: { until: number; wake: () => void }[] = [];
  return {
    now: () => now,
    sleep(milliseconds, signal) {
      return new Promise((wake, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        sleepers.push({ until: now + milliseconds, wake });
      });
    },
    async advance(milliseconds) {
      now += milliseconds;
      const woken = sleepers.filter(({ until }) => until <= now);
      sleepers = sleepers.filter(({ until }) => until > now);
      for (const { wake } of woken) wake();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

/** A command line with a verb of each sort; what a verb gets, it prints as JSON. */
export function sampleCommands(verbs: Readonly<Record<string, Verb>> = {}): Group {
  const print = defineVerb({
    description: "bake some nodes",
    examples: ["berry oven bake pi1"],
    args: {
      output: { type: "string", alias: "o", description: "the folder of the images", valueHint: "FOLDER" },
      force: { type: "boolean", alias: "f", description: "bake what is cached, too" },
      cache: { type: "boolean", default: true, negativeDescription: "keep nothing" },
      shape: { type: "enum", options: ["table", "list"], default: "table", description: "how to show it" },
    },
    rest: { name: "NODE", description: "the nodes; all by default" },
    run: ({ args, rest, stdout }) => stdout.write(JSON.stringify({ args, rest })),
  });
  const write = defineVerb({
    description: "write an image",
    examples: ["berry oven write pi1 /dev/sdX"],
    args: {
      node: { type: "positional", description: "the node" },
      device: { type: "positional", required: false, description: "the card" },
    },
    run: ({ args, rest, stdout }) => stdout.write(JSON.stringify({ args, rest })),
  });
  const oven = defineGroup({
    description: "bake and write",
    examples: ["berry oven pi1"],
    defaultVerb: "bake",
    commands: {
      bake: { description: print.description, load: async () => print },
      write: { description: write.description, load: async () => write },
      worker: { description: "for berry itself", hidden: true, load: async () => write },
    },
  });
  return defineGroup({
    description: "a command line to test with",
    examples: ["berry oven"],
    commands: {
      oven: { description: oven.description, load: async () => oven },
      ...Object.fromEntries(
        Object.entries(verbs).map(([name, verb]) => [
          name,
          { description: verb.description, load: async () => verb },
        ]),
      ),
    },
  });
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line as `start` does, on recorders. */
export async function run(
  words: readonly string[],
  root: Group = sampleCommands(),
  signal: AbortSignal = new AbortController().signal,
): Promise<Ran> {
  const stdout = recorder();
  const stderr = recorder();
  const version = { version: "1.2.3", commit: "abc1234", architecture: "aarch64" };
  const exitCode = await runCommandLine(root, "berry", words, { stdout, stderr, version, createLog, signal });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}
