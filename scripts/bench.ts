import { parseArgs } from "node:util";
import { bakeParts, benchBake } from "./benches/bake.ts";
import { benchFand, fandParts } from "./benches/fand.ts";
import { figureTable } from "./benches/figures.ts";
import { benchFleet, fleetParts } from "./benches/fleet.ts";
import { describeMachine } from "./benches/machine.ts";
import { benchProbe, probeParts } from "./benches/probe.ts";
import { benchWrite, writeParts } from "./benches/write.ts";

/** What the command line asks of a bench. */
interface Options {
  /** null: what each part takes by default. */
  readonly runs: number | null;
  /** One of the bench's parts; null: all of them. */
  readonly only: string | null;
  readonly megabytes: number;
  readonly seconds: number;
}

interface Bench {
  readonly summary: string;
  readonly parts: readonly string[];
  readonly run: (
    options: Options,
    emulator: string,
    say: (line: string) => void,
    signal: AbortSignal,
  ) => Promise<string>;
}

const benches: Readonly<Record<string, Bench>> = {
  bake: {
    summary: "a whole SD-card image, from nothing (arch, debian) and for one more node (warm)",
    parts: bakeParts,
    run: async (options, ...rest) =>
      figureTable(
        await benchBake(
          { ...options, only: bakeParts.find((part) => part === options.only) ?? null },
          ...rest,
        ),
      ),
  },
  fand: {
    summary: "what the fan daemon costs, against fancontrol, a loop in Python and a daemon in Go",
    parts: fandParts,
    run: async (options, _, ...rest) =>
      await benchFand({ ...options, only: fandParts.find((part) => part === options.only) ?? null }, ...rest),
  },
  fleet: {
    summary: "one, five and twenty nodes where all is cached, against as many copies of the image",
    parts: fleetParts,
    run: async (options, ...rest) =>
      figureTable(
        await benchFleet(
          { ...options, only: fleetParts.find((part) => part === options.only) ?? null },
          ...rest,
        ),
      ),
  },
  probe: {
    summary: "sixteen nodes found and asked, against avahi-browse and two libraries",
    parts: probeParts,
    run: async (options, _, ...rest) =>
      figureTable(
        await benchProbe(
          { ...options, only: probeParts.find((part) => part === options.only) ?? null },
          ...rest,
        ),
      ),
  },
  write: {
    summary:
      "a card, written and read back, against bmaptool and dd that do the same, and four cards against one",
    parts: writeParts,
    run: async (options, ...rest) =>
      figureTable(
        await benchWrite(
          { ...options, only: writeParts.find((part) => part === options.only) ?? null },
          ...rest,
        ),
      ),
  },
};

/** Berry against what people did before, measured on this machine: one Markdown table on standard output. */
const usage = `scripts/bench [BENCH] [--runs N] [--only PART] [--megabytes N] [--seconds N]

${Object.entries(benches)
  .map(
    ([name, { summary, parts }]) =>
      `  ${name.padEnd(6)} ${summary}${parts.length === 0 ? "" : `\n         parts: ${parts.join(", ")}`}`,
  )
  .join("\n")}

  --runs N        how often each side runs (bake: arch 3, debian 1, warm 5;
                  write: card 3, dd 1, disk 5, memory 5, four 3;
                  fleet 1; probe 10)
  --only PART     one part of the bench
  --megabytes N   size of the packages that images of Arch Linux ARM install (400)
  --seconds N     how long fan daemons are looked at (60)

The first bench by default. As root: the other ways need loop devices and mounts. Berry runs as an ordinary user.
Keep the machine quiet.
`;

const emulator = Bun.which("qemu-aarch64-static") ?? Bun.which("qemu-aarch64");

/** @throws Error that says what is wrong with the words */
function parse(words: string[]) {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      runs: { type: "string" },
      only: { type: "string" },
      megabytes: { type: "string", default: "400" },
      seconds: { type: "string", default: "60" },
      help: { type: "boolean", default: false },
    },
  });
  const [name = "bake", ...more] = positionals;
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (bench === undefined || more.length > 0) throw new Error(`no such bench: ${positionals.join(" ")}`);
  const only = values.only ?? null;
  if (only !== null && !bench.parts.includes(only))
    throw new Error(`--only takes ${bench.parts.join(", ") || "nothing here"}, got ${only}`);
  return {
    help: values.help,
    bench,
    only,
    runs: values.runs === undefined ? null : count("--runs", values.runs),
    megabytes: count("--megabytes", values.megabytes),
    seconds: count("--seconds", values.seconds),
  };
}

function count(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${option} takes a number from 1, got ${text}`);
  return Number(text);
}

function complain(error: unknown, hint: string): void {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}\nhint: ${hint}`);
}

async function main(): Promise<number> {
  let options: ReturnType<typeof parse>;
  try {
    options = parse(process.argv.slice(2));
  } catch (error) {
    complain(error, "scripts/bench --help");
    return 64;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
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
    process.on(name, () => abort.abort(new Error(`ended by ${name}`)));
  try {
    const table = await options.bench.run(options, emulator, (line) => console.error(line), abort.signal);
    console.log(`${await describeMachine(emulator, abort.signal)}\n\n${table}`);
    return 0;
  } catch (error) {
    complain(error, "nothing was measured to the end");
    return 1;
  }
}

process.exitCode = await main();
