import { resolve } from "node:path";
import { type BenchName, type BenchOptions, benches } from "./benches.ts";
import { filesBeside, type MeasuredFiles, ownFiles, quickFiles } from "./measured-file.ts";
import { parseOptions } from "../parse-options.ts";
import { namedSections, sections } from "./sections.ts";

/** What the command line asks for. */
export type Asked =
  | { readonly kind: "help" }
  | { readonly kind: "render" }
  | { readonly kind: "one"; readonly bench: BenchName; readonly options: OneOptions }
  | {
      readonly kind: "whole";
      readonly files: MeasuredFiles;
      readonly quick: boolean;
      readonly resume: boolean;
      /** Sections; null: all. */
      readonly only: ReadonlySet<string> | null;
      readonly skip: ReadonlySet<string>;
    };

/** What is not said is left to the defaults. */
type OneOptions = Partial<BenchOptions> & Pick<BenchOptions, "quick">;

const benchNames = Object.keys(benches) as BenchName[];

/** Berry against what people did before, measured on this machine. */
export const usage = `scripts/bench [--skip NAME]… [--only NAME]… [--resume] [--quick] [--output FILE]
scripts/bench BENCH [--runs N] [--only PART] [--megabytes N] [--seconds N] [--quick]
scripts/bench render

Without a bench: all of them, one after the other, into docs/measured.json, from which docs/measured.md and the block
between the markers of README.md are made. Nothing is written there before all have come to an end; what one finished
is kept meanwhile. What fails is noted in its place, and the exit code is 1. With a bench: its tables alone, on standard
output. render: both documents once more, from the data.

${benchNames
  .map(
    (name) =>
      `  ${name.padEnd(6)} ${benches[name].summary}\n         parts: ${benches[name].parts.join(", ")}`,
  )
  .join("\n")}

  --skip NAME     leaves out a bench, or a section: ${listed(0, 4)},
                  ${listed(4, 10)},
                  ${listed(10)}; it keeps the figures that it has
  --only NAME     measures this bench or section alone; the others keep the figures that they have
  --resume        goes on with a run that was interrupted, or in which something failed
  --quick         as little work as shows that the benches work; without bake-debian, which is never quick;
                  into dist/measured-quick.md, never into README.md
  --output FILE   the document, which ends in .md, with its data beside it as .json; README.md is left alone

  --runs N        how often each side runs (bake: arch 3, debian 1, warm 5;
                  write: card 3, dd 1, disk 5, memory 5, four 3;
                  fleet 1; probe 10)
  --only PART     one part of the bench
  --megabytes N   size of the packages that images of Arch Linux ARM install (400)
  --seconds N     how long fan daemons are looked at (60)

As root: the other ways need loop devices and mounts. Berry runs as an ordinary user. Keep the machine quiet.
`;

function listed(from: number, to?: number): string {
  return sections
    .slice(from, to)
    .map(({ name }) => name)
    .join(", ");
}

/** @throws Error that says what is wrong with the words */
export function parseWords(words: readonly string[]): Asked {
  const { values, positionals } = parseOptions({
    args: [...words],
    allowPositionals: true,
    options: {
      runs: { type: "string" },
      only: { type: "string", multiple: true },
      megabytes: { type: "string" },
      seconds: { type: "string" },
      skip: { type: "string", multiple: true },
      resume: { type: "boolean" },
      quick: { type: "boolean" },
      output: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return { kind: "help" };
  const [name, ...more] = positionals;
  const { runs, only, megabytes, seconds, quick = false, ...ofWhole } = values;
  const { skip = [], resume = false, output } = ofWhole;
  if (name === undefined) {
    refuse({ runs, megabytes, seconds }, "belongs to one bench: scripts/bench BENCH");
    return {
      kind: "whole",
      files: output === undefined ? (quick ? quickFiles : ownFiles) : documentFiles(output, quick),
      quick,
      resume,
      only: only === undefined ? null : namedSections("--only", only),
      skip: namedSections("--skip", skip),
    };
  }
  if (more.length > 0) throw new Error(`one bench at a time, got ${positionals.join(" ")}`);
  if (name === "render") {
    refuse(values, "is of no use to render");
    return { kind: "render" };
  }
  const bench = benchNames.find((each) => each === name);
  if (bench === undefined) throw new Error(`no such bench: ${name}; there are ${benchNames.join(", ")}`);
  refuse(ofWhole, "belongs to the run of all benches");
  const { parts } = benches[bench];
  const [part, ...parted] = only ?? [];
  if (parted.length > 0) throw new Error(`--only takes one part, got ${only?.join(" ")}`);
  if (part !== undefined && !parts.some((each) => each === part))
    throw new Error(`--only takes ${parts.join(", ")}, got ${part}`);
  return {
    kind: "one",
    bench,
    options: {
      quick,
      ...(part === undefined ? {} : { only: part }),
      ...(runs === undefined ? {} : { runs: count("--runs", runs) }),
      ...(megabytes === undefined ? {} : { megabytes: count("--megabytes", megabytes) }),
      ...(seconds === undefined ? {} : { seconds: count("--seconds", seconds) }),
    },
  };
}

function documentFiles(output: string, quick: boolean): MeasuredFiles {
  const document = resolve(output);
  if (!document.endsWith(".md")) throw new Error(`--output takes a file that ends in .md, got ${output}`);
  if (document !== ownFiles.document) return filesBeside(document);
  if (quick) throw new Error(`--quick has no figures for ${output}`);
  return ownFiles;
}

function refuse(options: Readonly<Record<string, unknown>>, why: string): void {
  const given = Object.keys(options).filter((name) => options[name] !== undefined);
  if (given.length > 0) throw new Error(`--${given.join(", --")} ${why}`);
}

function count(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${option} takes a number from 1, got ${text}`);
  return Number(text);
}
