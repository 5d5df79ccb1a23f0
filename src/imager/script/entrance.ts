import type { Plan } from "../bake-plan.ts";
import { identityMap, namespaceArgv } from "../worker/namespace.ts";
import type { PasswordHash } from "./password-hashes.ts";
import { commandLine, comment, word } from "./quote.ts";
import type { ScriptOptions } from "./script.ts";

/** As the ordinary user: folders, the lock, and the way into the namespaces. */
export function entrance(plan: Plan, { isRoot }: ScriptOptions, hashes: readonly PasswordHash[]): string {
  const argv = namespaceArgv({
    isRoot,
    lockFile: `${plan.cacheDirectory}/lock`,
    outputFolder: null,
    argv: ["bash", "--"],
  });
  const enter = `${commandLine(argv, [["cache", plan.cacheDirectory]])} "$0" inside`;
  const tools = toolsOf(plan);
  const lines = [
    "if [[ ! -f $0 ]]; then",
    "    echo 'error: this script starts itself again: save it to a file, then run bash FILE' >&2",
    "    exit 64",
    "fi",
    ...hashes.map(
      ({ variable, users }) =>
        `: "\${${variable}:?the crypt(5) hash of ${users.join(", ")}, as berry.toml has it}"`,
    ),
    ...tools.flatMap((program) => [
      `if ! command -v ${program} >/dev/null; then`,
      `    echo 'error: ${program} is missing' >&2`,
      "    exit 69",
      "fi",
    ]),
    'folders=("$cache/layers" "$cache/work" "$cache/downloads" "$cache/empty" "$scratch")',
    '(umask 077 && mkdir -p -- "${folders[@]}" && : >>"$cache/lock" && printf "Signature: 8a477f597d28d172789f06886806bc55\\n" >"$cache/CACHEDIR.TAG")',
    ...hostKeyLines(plan),
    ...(isRoot
      ? enterAsRoot(enter)
      : [
          comment(
            "an ordinary user is root of their sub-ids in there; exit code 75: another bake holds the lock",
          ),
          `exec ${enter}`,
        ]),
  ];
  return ["", "if [[ ${1-} != inside ]]; then", ...lines.map((line) => `    ${line}`), "fi", ""].join("\n");
}

/** Host keys that are not there yet are made by the user who will keep them. */
function hostKeyLines(plan: Plan): string[] {
  return plan.nodes.flatMap(({ node, steps }) =>
    steps.flatMap((step) =>
      step.do === "write-host-key" ? [commandLine(["make_host_key", step.source, `root@${node}`])] : [],
    ),
  );
}

/** newuidmap(1) refuses to map every id, so that the map is written from outside. */
function enterAsRoot(enter: string): string[] {
  const map = word(identityMap.trim());
  return [
    `${enter} &`,
    "child=$!",
    comment("every id is itself in there, but mounts and binfmt_misc are its own"),
    'while [[ -d /proc/$child && $(readlink "/proc/$child/ns/user") == "$(readlink /proc/self/ns/user)" ]]; do sleep 0.01; done',
    `if ! { echo ${map} >"/proc/$child/uid_map" && echo ${map} >"/proc/$child/gid_map"; } 2>/dev/null; then`,
    '    kill "$child" 2>/dev/null || true',
    "fi",
    'wait "$child"',
    "exit",
  ];
}

/** What the script needs beyond what a bake needs. */
function toolsOf(plan: Plan): string[] {
  const steps = [...plan.layers.filter(({ cached }) => !cached), ...plan.nodes].flatMap(
    ({ steps: own }) => own,
  );
  const downloads = steps.some((step) => step.do === "download");
  const derives = steps.some((step) => step.do === "write-wifi" && step.wifi.security === "wpa2");
  const checks = steps.some((step) => step.do === "check-initramfs");
  return [
    ...(downloads ? ["curl", "gpg"] : []),
    ...(derives ? ["wpa_passphrase"] : []),
    ...(steps.some((step) => step.do === "write-host-key") ? ["ssh-keygen"] : []),
    ...(checks ? ["zstd"] : []),
  ];
}
