import { describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";

const scripts = resolve(import.meta.dir, "../../../scripts");

/** A script, or the program that it hands its words to, without what it would install before. */
function run(name: string, ...words: readonly string[]) {
  const file = join(scripts, name);
  const argv = name.endsWith(".ts") ? [process.execPath, file] : [file];
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv, ...words]);
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

describe.each([
  ["build.ts", "scripts/build [--arch"],
  ["record.ts", "scripts/record [bake]"],
  ["bench.ts", "scripts/bench [--skip"],
  ["test", "scripts/test [SUITE…]"],
  ["quickstart", "scripts/quickstart [FOLDER]"],
  ["release", "scripts/release [--snapshot]"],
] as const)("scripts/%s", (name, usage) => {
  test("tells what it takes", () => {
    for (const word of ["--help", "-h"]) {
      const { exitCode, stdout, stderr } = run(name, word);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toContain(usage);
    }
  });
  test("refuses an option that it does not know, and says where they are told", () => {
    const { exitCode, stdout, stderr } = run(name, "--bogus");
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(stderr).toMatch(/^error: unknown option '?--bogus'?\nhint: scripts\/\w+ --help\n$/);
  });
});

test.each([
  ["build.ts", ["--arch", "riscv64"], "no such architecture: riscv64; there are x86_64 and aarch64"],
  ["record.ts", ["bogus"], "no such picture: bogus; there are bake, write, probe"],
  ["bench.ts", ["bogus"], "no such bench: bogus; there are "],
  ["test", ["bogus"], "no such suite: bogus"],
  ["quickstart", ["one", "two"], "one folder at a time, got one two"],
  ["release", ["one", "two"], "one folder at a time, got one and two"],
] as const)("scripts/%s refuses %p", (name, words, said) => {
  const { exitCode, stderr } = run(name, ...words);
  expect(exitCode).toBe(64);
  expect(stderr).toStartWith(`error: ${said}`);
  expect(stderr).toContain("\nhint: ");
});
