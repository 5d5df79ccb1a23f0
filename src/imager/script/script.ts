import { mke2fsConf } from "../formats/disk-layout.ts";
import { fixedEnvironment, inheritedVariables } from "../worker/host-environment.ts";
import { knownHostsMark } from "../known-hosts.ts";
import { epochEnvironment } from "../source-date-epoch.ts";
import type { Emulator, KnownHosts, LayerPlan, NodePlan, Plan } from "../bake-plan.ts";
import type { Step } from "../step.ts";
import { binfmtLine } from "../steps/binfmt.ts";
import { imageEnvironment } from "../steps/run.ts";
import { entrance } from "./entrance.ts";
import { functionsFor } from "./functions.ts";
import { passwordHashes } from "./password-hashes.ts";
import type { PasswordHash } from "./password-hashes.ts";
import { commandLine, comment, feed, word } from "./quote.ts";
import type { Variable } from "./quote.ts";
import { stepLines } from "./step-lines.ts";

export interface ScriptOptions {
  /** Root maps every id to itself; an ordinary user takes their sub-ids. */
  readonly isRoot: boolean;
}

/**
 * The plan as a script for bash, of the very steps that a bake performs. Run as the same user it makes the same
 * layers and images, in the same cache. No secret stands in it: files are read when it runs, hashes come by environment.
 */
export function planScript(plan: Plan, options: ScriptOptions): string {
  const hashes = passwordHashes(plan.nodes);
  const outer = entrance(plan, options, hashes);
  const inner = inside(plan, hashes);
  const functions = functionsFor(`${outer}\n${inner}`);
  return [head(plan), ...functions, outer, inner, ""].join("\n").replace(/\n{3,}/g, "\n\n");
}

function head(plan: Plan): string {
  return `#!/usr/bin/env bash
${comment(`What \`berry imager bake\` does for ${plan.nodes.map(({ node }) => node).join(", ")}, step by step; made by \`berry imager plan\`.`)}
# To do it without berry: save this to a file and run it with bash, as the user who would bake.
# Paths in the image are resolved as a chroot resolves them (real_path), so that no symbolic link leads out of it.
# Secrets do not stand here: files are read when this runs, and no program gets a secret as an argument.
# shellcheck disable=SC2016 # what stands between single quotes is for the shell of the image
set -euo pipefail

cache=${word(plan.cacheDirectory)}
images=${word(plan.outputDirectory)}
scratch=$cache/scratch
undo=()
unfinished=''
`;
}

const imageEnvironmentLine = `image_environment=(${Object.entries(imageEnvironment)
  .map(([name, value]) => word(`${name}=${value}`))
  .join(" ")})`;

function inside(plan: Plan, hashes: readonly PasswordHash[]): string {
  const work = [
    ...plan.layers.map((layer) => layerLines(layer, plan, hashes)),
    ...plan.nodes.map((node) => nodeLines(node, plan, hashes)),
    ...(plan.knownHosts === null ? [] : [knownHostsLines(plan.knownHosts, plan)]),
  ].join("\n");
  const lines = [
    "# From here on in the namespaces.",
    "until [[ -n $(cat /proc/self/uid_map) ]]; do sleep 0.01; done",
    "umask 022",
    "exec </dev/null",
    "trap on_exit EXIT",
    "trap 'exit 130' INT",
    "trap 'exit 143' TERM HUP",
    comment("programs see this environment and nothing else of the caller's"),
    "for name in $(compgen -e); do",
    `    case $name in ${inheritedVariables.join(" | ")}) ;; *) declare +x "$name" ;; esac`,
    "done",
    `export ${commandLine(["", ...Object.entries(fixedEnvironment).map(([name, value]) => `${name}=${value}`)]).slice(3)}`,
    ...epochLines(plan),
    ...(/\b(?:in_image|image_environment)\b/.test(work) ? [imageEnvironmentLine] : []),
    comment("in memory: secrets may pass through it"),
    'mount -t tmpfs -o mode=700,size=75% tmpfs "$scratch"',
    "TMPDIR=$scratch",
    ...emulatorLines(plan.emulator),
    comment("what was killed left, and whether there will be a place for the images"),
    'rm -rf --one-file-system -- "$cache/work"',
    '(umask 077 && mkdir -p -- "$cache/work" "$images" && : >"$images/.berry-trial" && rm -- "$images/.berry-trial")',
    ...(plan.layers.some(({ cached }) => !cached) ? [feed('cat >"$scratch/mke2fs.conf"', mke2fsConf)] : []),
    work,
  ];
  return lines.join("\n");
}

function epochLines({ sourceDateEpoch }: Plan): string[] {
  const variables = Object.entries(epochEnvironment(sourceDateEpoch));
  return variables.length === 0
    ? []
    : [`export ${commandLine(["", ...variables.map(([name, value]) => `${name}=${value}`)]).slice(3)}`];
}

function emulatorLines(emulator: Emulator | null): string[] {
  if (emulator === null) return [comment("the host runs arm64 programs itself")];
  if (emulator.kind === "host")
    return [comment(`arm64 programs run by the host's handler, ${emulator.handler}`)];
  return [
    comment("arm64 programs are emulated in here alone: the host's handlers stay as they are"),
    'mkdir -- "$scratch/binfmt_misc"',
    'mount -t binfmt_misc binfmt_misc "$scratch/binfmt_misc"',
    `printf %s ${word(binfmtLine(emulator.interpreter))} >"$scratch/binfmt_misc/register"`,
  ];
}

function layerLines(layer: LayerPlan, plan: Plan, hashes: readonly PasswordHash[]): string {
  const name = layer.directory.split("/").at(-1) ?? layer.name;
  if (layer.cached) return `\n${comment(`in the cache: ${name}`)}`;
  const variables: Variable[] = [
    ["root", layer.root],
    ["work", layer.work],
    ["cache", plan.cacheDirectory],
  ];
  const call = (...argv: readonly string[]): string => commandLine(argv, variables);
  return [
    `\n${comment(`---- layer ${name} ----`)}`,
    `work=${word(layer.work, [["cache", plan.cacheDirectory]])}`,
    `root=${word(layer.root, [["work", layer.work]])}`,
    "unfinished=$work",
    'rm -rf --one-file-system -- "$work"',
    'mkdir -p -- "$work/tmp"',
    call("mount_tree", layer.root, `${layer.work}/tree`, `${layer.work}/overlay`, ...layer.lower),
    ...stepsOf(layer.steps, variables, hashes),
    `\n${comment("publish: whole on the disk before it has its name")}`,
    "give_back",
    'rm -rf --one-file-system -- "$root" "$work/overlay" "$work/tmp"',
    call("record_layer", layer.work, ...layer.lower),
    'sync --file-system "$work"',
    call("rm", "-rf", "--one-file-system", "--", layer.directory),
    call("mv", "-T", "--", layer.work, layer.directory),
    "unfinished=''",
  ].join("\n");
}

function nodeLines(node: NodePlan, plan: Plan, hashes: readonly PasswordHash[]): string {
  const variables: Variable[] = [
    ["root", node.root],
    ["work", node.work],
    ["cache", plan.cacheDirectory],
    ["images", plan.outputDirectory],
  ];
  const call = (...argv: readonly string[]): string => commandLine(argv, variables);
  return [
    `\n${comment(`---- image of ${node.node} ----`)}`,
    `work=${word(node.work, [["scratch", `${plan.cacheDirectory}/scratch`]])}`,
    `root=${word(node.root, [["work", node.work]])}`,
    `unfinished=${word(node.partial, [["images", plan.outputDirectory]])}`,
    call("mount_tree", node.root, node.upper, `${node.work}/overlay`, ...node.lower),
    ...stepsOf(node.steps, variables, hashes),
    `\n${comment("publish: whole on the disk before it has its name")}`,
    "give_back",
    call("chmod", "600", node.partial),
    call("sync", node.partial),
    // a list of software that describes another image
    call("rm", "-f", "--", node.software.output),
    call("mv", "-f", "-T", "--", node.partial, node.output),
    "unfinished=''",
    'rm -rf --one-file-system -- "$work"',
  ].join("\n");
}

/** One call for each node that may have keys; what is not there is left out. */
function knownHostsLines({ path, hosts }: KnownHosts, plan: Plan): string {
  const variables: Variable[] = [["images", plan.outputDirectory]];
  const partial = path.replace(/[^/]*$/, (name) => `.${name}.partial`);
  return [
    `\n${comment("---- who the nodes are, for ssh ----")}`,
    "{",
    `    printf '%s\\n' ${word(knownHostsMark)}`,
    "    {",
    ...hosts.map(
      ({ names, publicKeyFiles }) =>
        `        ${commandLine(["known_host", names.join(","), ...publicKeyFiles])}`,
    ),
    "    } | sort",
    `} >${word(partial, variables)}`,
    commandLine(["mv", "-f", "-T", "--", partial, path], variables),
  ].join("\n");
}

function stepsOf(
  steps: readonly Step[],
  variables: readonly Variable[],
  hashes: readonly PasswordHash[],
): string[] {
  const hashVariable = (hash: string): string => hashes.find((known) => known.hash === hash)?.variable ?? "";
  return steps.map((step) => `\n${stepLines(step, { variables, hashVariable })}`);
}
