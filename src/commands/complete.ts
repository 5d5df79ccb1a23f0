import { readFile } from "node:fs/promises";
import { type Candidate, complete as completeWords, type Lists } from "../cli/complete.ts";
import { completionScripts } from "../cli/completion-scripts.ts";
import { defineVerb } from "../cli/verb.ts";
import { namedNodes } from "../config/named-nodes.ts";
import { printable } from "../core/printable.ts";

/** How long a key press may wait for disks to be looked at. */
const patienceMilliseconds = 2000;

/** `berry complete -- WORD…`: what the last word may become; the shells' scripts ask it. */
export const complete = defineVerb({
  description: "print what the last word may become; the shells' completions ask it",
  examples: ["berry complete -- imager ba"],
  rest: { name: "WORD", description: "what stands after berry on the command line" },
  async run({ rest, json, stdout, signal, root }) {
    const until = AbortSignal.any([signal, AbortSignal.timeout(patienceMilliseconds)]);
    const found = await completeWords(root, rest.length === 0 ? [""] : rest, listsOf(until));
    if (json) stdout.write(`${JSON.stringify(found)}\n`);
    else {
      const lines = found.candidates.map(({ value, description }) => `${value}\t${description}`);
      if (found.paths !== "none") lines.push(`:${found.paths}`);
      stdout.write(lines.map((line) => `${line}\n`).join(""));
    }
  },
});

function listsOf(signal: AbortSignal): Lists {
  return {
    NODE: nodes,
    TARGET: targets,
    DEVICE: () => devices(signal),
    ROLE: roles,
    SHELL: () => Promise.resolve(Object.keys(completionScripts).map((value) => ({ value, description: "" }))),
  };
}

async function roles(words: readonly string[]): Promise<readonly Candidate[]> {
  const { roles: known } = await import("./doctor/finding.ts");
  return Object.entries(known)
    .filter(([value]) => !words.includes(value))
    .map(([value, description]) => ({ value, description }));
}

/** As the cluster file calls them: the one of `--file`, else berry.toml; whether all of it is right does not matter here. */
async function nodes(words: readonly string[]): Promise<readonly Candidate[]> {
  const index = words.findLastIndex((word) => /^(?:-f|--file)(?:=|$)/.test(word));
  const [, typed] = words[index]?.split("=", 2) ?? [];
  const file = index === -1 ? "berry.toml" : (typed ?? words[index + 1] ?? "berry.toml");
  const content: unknown = Bun.TOML.parse(await readFile(file, "utf8"));
  return (namedNodes(content)?.nodes ?? [])
    .filter(({ name }) => !words.includes(name))
    .map(({ name }) => ({ value: name, description: "node" }));
}

async function targets(): Promise<readonly Candidate[]> {
  const { listTargets } = await import("../imager/targets/targets.ts");
  return listTargets().map(({ target: { name, description } }) => ({ value: name, description }));
}

async function devices(signal: AbortSignal): Promise<readonly Candidate[]> {
  const { collectDisks } = await import("../imager/disks/collect-disks.ts");
  const { collectKeepPaths } = await import("../imager/disks/collect-keep-paths.ts");
  const { systemRoots } = await import("../imager/disks/disk.ts");
  const { judgeDisk } = await import("../imager/disks/verdict.ts");
  const disks = await collectDisks(systemRoots, await collectKeepPaths([]), signal);
  return disks
    .filter((disk) => judgeDisk(disk, { minimumBytes: null }).verdict === "writable")
    .map(({ path, model }) => ({ value: path, description: printable(model ?? "") }));
}
