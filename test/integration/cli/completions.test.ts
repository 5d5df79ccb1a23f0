import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { completionScripts } from "../../../src/cli/completion-scripts.ts";

/** Each shell is asked what it would offer at a press of Tab, and says it. */
const house = resolve(import.meta.dir, "../../..");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-completions-"));
  await mkdir(join(folder, "bin"));
  await writeFile(
    join(folder, "bin/berry"),
    `#!/bin/sh\nexec '${process.execPath}' '${house}/src/main.ts' "$@"\n`,
  );
  await chmod(join(folder, "bin/berry"), 0o755);
  await mkdir(join(folder, "here/images"), { recursive: true });
  await writeFile(join(folder, "here/berry.toml"), '[[node]]\nname = "pi1"\n[[node]]\nname = "pi2"\n');
  await writeFile(join(folder, "here/other file.toml"), '[[node]]\nname = "elder"\n');
  await Promise.all(
    Object.entries(completionScripts).map(([shell, text]) => writeFile(join(folder, shell), text)),
  );
});
afterAll(() => rm(folder, { recursive: true }));

function run(argv: readonly string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...argv], {
    cwd: join(folder, "here"),
    env: {
      PATH: `${folder}/bin:${process.env["PATH"]}`,
      HOME: folder,
      TERM: "xterm",
      LANG: "C.UTF-8",
    },
  });
  if (exitCode !== 0) throw new Error(`${argv[0]}: ${exitCode}: ${stderr.toString()}`);
  return stdout.toString();
}

/** As readline splits the line: at blanks and at =. */
function askBash(words: readonly string[]): readonly string[] {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const text = run([
    "bash",
    "--norc",
    "-c",
    `. "${folder}/bash"; COMP_WORDS=(berry ${quoted}); COMP_CWORD=${words.length}; _berry; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ]);
  return text.split("\n").filter((line) => line !== "");
}

function askFish(words: readonly string[]): readonly string[] {
  const text = run([
    "fish",
    "--no-config",
    "-c",
    `source "${folder}/fish"; complete -C 'berry ${words.join(" ")}'`,
  ]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t", 1)[0] ?? "");
}

/** zsh completes at a terminal alone: one of its own, in which Tab is pressed, and compadd says what it is given. */
function askZsh(words: readonly string[]): readonly string[] {
  const text = run([
    "zsh",
    "-f",
    "-c",
    `zmodload zsh/zpty
zpty asked zsh -f -i
zpty -w asked 'PS1=; autoload -Uz compinit; compinit -u -d "${folder}/zcompdump"; source "${folder}/zsh"'
zpty -w asked 'compadd() { local -a __found; builtin compadd -O __found "$@"; local __i; for __i in "\${__found[@]}"; do print -r -- "<<$__i>>" >>"${folder}/answer"; done; builtin compadd "$@"; }'
zpty -w asked 'bindkey "^I" complete-word; zle-done() { print -r -- done >>"${folder}/answer"; zle kill-whole-line }; zle -N zle-done; bindkey "^X" zle-done'
zpty -w asked ': ready; print ready >"${folder}/answer"'
integer i
until [[ -e "${folder}/answer" ]]; do zpty -r -t asked line; sleep 0.02; (( ++i > 1500 )) && exit 3; done
zpty -n -w asked $'berry ${words.join(" ")}\\t\\x18'
until grep -q done "${folder}/answer"; do zpty -r -t asked line; sleep 0.02; (( ++i > 3000 )) && exit 4; done
zpty -d asked
cat "${folder}/answer"; rm "${folder}/answer"`,
  ]);
  // _describe looks at what fits before it adds it
  return [...new Set([...text.matchAll(/^<<(.*)>>$/gm)].map(([, value]) => value ?? ""))];
}

describe.each([
  ["bash", askBash],
  ["zsh", askZsh],
  ["fish", askFish],
] as const)("%s", (_, ask) => {
  test("completes commands", () => {
    expect(ask(["imager", "de"])).toEqual(["devices"]);
    expect(ask(["ima"])).toEqual(["imager"]);
  });
  test("completes flags, the nodes of berry.toml and the roles of a machine, each once", () => {
    expect([...ask(["imager", "export", "--for"])]).toEqual(["--format"]);
    expect([...ask(["imager", "bake", "pi"])]).toEqual(["pi1", "pi2"]);
    expect([...ask(["imager", "bake", "pi1", "pi"])]).toEqual(["pi2"]);
    expect([...ask(["doctor", "bake", "co"])]).toEqual(["cool"]);
  });
  test("completes the values of a flag", () => {
    expect([...ask(["init", "--target", "deb"])]).toEqual(["debian-arm64"]);
    expect([...ask(["imager", "export", "--format", "x"])]).toEqual(["xz"]);
  });
  test("completes files where a file is meant", () => {
    expect(ask(["imager", "bake", "--file", "ber"]).join()).toContain("berry.toml");
  });
});
