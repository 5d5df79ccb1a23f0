import { parseArgs } from "node:util";
import { benchBake, bakeParts, type BakePart } from "./benches/bake.ts";
import { figureTable } from "./benches/figures.ts";
import { describeMachine } from "./benches/machine.ts";

/** Berry against what people did before, measured on this machine: one Markdown table on standard output. */
const usage = `scripts/bench [bake] [--runs N] [--only ${bakeParts.join("|")}] [--megabytes N]

  bake   a whole SD-card image, from nothing (arch, debian) and for one more node (warm)

  --runs N        how often each side runs (arch 3, debian 1, warm 5)
  --only PART     one part of the bench
  --megabytes N   size of the packages that arch and warm install (400)

As root: the other ways need loop devices and mounts. Berry runs as an ordinary user. Keep the machine quiet.
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
      help: { type: "boolean", default: false },
    },
  });
  const [bench = "bake", ...more] = positionals;
  if (bench !== "bake" || more.length > 0) throw new Error(`no such bench: ${positionals.join(" ")}`);
  const only = values.only === undefined ? null : bakeParts.find((part) => part === values.only);
  if (only === undefined) throw new Error(`--only takes ${bakeParts.join(", ")}, got ${values.only}`);
  return {
    help: values.help,
    only: only satisfies BakePart | null,
    runs: values.runs === undefined ? null : count("--runs", values.runs),
    megabytes: count("--megabytes", values.megabytes),
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
    const figures = await benchBake(options, emulator, (line) => console.error(line), abort.signal);
    console.log(`${await describeMachine(emulator, abort.signal)}\n\n${figureTable(figures)}`);
    return 0;
  } catch (error) {
    complain(error, "nothing was measured to the end");
    return 1;
  }
}

process.exitCode = await main();
