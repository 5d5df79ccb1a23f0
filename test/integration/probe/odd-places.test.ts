import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { commandRunner } from "../../../src/system/command-runner.ts";
import { plainEnvironment } from "../../fixtures/run.ts";

const signal = new AbortController().signal;
const changedFile = resolve(import.meta.dirname, "../../../src/probe/formats/changed-file.ts");
const announcement = resolve(import.meta.dirname, "../../../src/probe/announce/announcement-file.ts");

/** What a call says that writes into a small file system, which is full or read-only, in a namespace of its own. */
async function writing(call: string, state: "full" | "read-only") {
  const spoil = { full: "head -c 1M /dev/zero >old || true", "read-only": "mount -o remount,ro ." }[state];
  const program = `const failure = await (async () => { ${call} })().then(() => null, (thrown) => thrown);
console.log(JSON.stringify({ kind: failure?.kind, message: failure?.message, hint: failure?.hint }));`;
  const script = `mkdir -p /run/place; mount -t tmpfs -o size=32k place /run/place; cd /run/place
echo kept >file; ${spoil} 2>/dev/null
"$0" -e "$1"; test "$(cat file)" = kept; ls -A`;
  const { exitCode, stdout, stderr } = await commandRunner.run(
    ["unshare", "--mount", "sh", "-euc", `mount -t tmpfs tmpfs /run; ${script}`, process.execPath, program],
    { env: plainEnvironment("/root") },
    signal,
  );
  if (exitCode !== 0) throw new Error(stderr);
  const [told, ...files] = stdout.trim().split("\n");
  return { ...JSON.parse(told ?? ""), files };
}

const write = `await (await import("${changedFile}")).writeChangedText("file", "x".repeat(8192));`;
const announce = `(await import("${announcement}")).announce(".", "x".repeat(8192));`;

test.each([
  ["full", write, "no space left", "df ", ["file", "old"]],
  ["read-only", write, "the file system is read-only", "name a file elsewhere", ["file"]],
  ["full", announce, "no space left", "df ", ["file", "old"]],
  ["read-only", announce, "the file system is read-only", "make it writable", ["file"]],
] as const)("a file system that is %s is told as that, and left as it was", async (...row) => {
  const [state, call, why, hint, files] = row;
  const told = await writing(call, state);
  expect(told).toMatchObject({ kind: "cannot-create", files });
  expect(told.message).toContain(why);
  expect(told.hint).toStartWith(hint);
});
