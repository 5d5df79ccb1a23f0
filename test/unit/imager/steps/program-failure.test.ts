import { describe, expect, test } from "bun:test";
import { programFailure, scriptFailure } from "../../../../src/imager/steps/program-failure.ts";

const said = (stdout: string, stderr = "", exitCode = 1) => ({ exitCode, stdout, stderr });
const pacman = ["pacman", "--config", "/w/pacman.conf", "--sync", "vim"];

describe("a program that fails", () => {
  test.each([
    [
      "bsdtar: Write error: No space left on device",
      "cannot-create",
      /^the disk is full: pacman cannot write$/,
    ],
    [
      "error: target not found: nope\nerror: target not found: nor-this\n",
      "config",
      /^no repository has the packages nope, nor-this$/,
    ],
    [
      "E: Unable to locate package vmi\nE: Unable to locate package htpo\n",
      "config",
      /^no repository has the packages vmi, htpo$/,
    ],
    ["E: Package 'foo' has no installation candidate", "config", /^no repository has the package foo$/],
    [
      "Failed to enable unit, unit dokcer.service does not exist.",
      "config",
      /^the image has no unit dokcer\.service$/,
    ],
    [
      "[error] cannot open locale definition file `xx_YY': No such file or directory",
      "config",
      /^the image knows no locale xx_YY$/,
    ],
    ["error: target not found: nope", "config", /^no repository has the package nope$/],
    [
      'error: vim: key "A B <a@example.org>" is disabled\nerror: failed to commit transaction (invalid or corrupted package (PGP signature))',
      "bad-data",
      /^a package is not signed by anyone whom the image trusts: vim: key "A B <a@example\.org>" is disabled$/,
    ],
    [
      'error: vim: signature from "A <a@example.org>" is unknown trust',
      "bad-data",
      /whom the image trusts: vim: signature from "A <a@example\.org>" is unknown trust$/,
    ],
    ['error: core: signature from "A <a@example.org>" is invalid', "bad-data", /: core: signature/],
    [
      "error: failed to commit transaction (invalid or corrupted package)",
      "bad-data",
      /^pacman received something that is damaged$/,
    ],
    [
      "error: failed retrieving file 'core.db' from mirror.example : 404",
      "unavailable",
      /^pacman cannot download what it needs$/,
    ],
    ["error: failed to synchronize all databases", "unavailable", /cannot download/],
    ["something else", "software", /^pacman failed with exit code 1$/],
  ] as const)("and says %p is a matter of %s", (text, kind, message) => {
    const onStderr = programFailure(pacman, said("", text));
    const onStdout = programFailure(pacman, said(text));
    for (const failure of [onStderr, onStdout]) {
      expect(failure.kind).toBe(kind);
      expect(failure.message.split("\n")[0]).toMatch(message);
      expect(failure.hint).not.toBe("");
    }
  });

  test("shows the last twelve lines that were not blank", () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n\n`).join("");
    const { message } = programFailure(["sfdisk"], said(lines));
    expect(message.split("\n").slice(1)).toEqual(
      Array.from({ length: 12 }, (_, index) => `  line ${index + 9}`),
    );
  });

  test("in the image is called by its own name", () => {
    const { message } = programFailure(
      ["chroot", "/cache/work/root", "useradd", "chaney"],
      said("", "useradd: exists", 9),
    );
    expect(message).toBe("useradd in the image failed with exit code 9\n  useradd: exists");
  });
});

test("the user's script that fails is the user's to correct, under its name on this machine", () => {
  const failure = scriptFailure("/home/me/setup.sh", said("installing\n", "out of strawberries\n", 3));
  expect(failure.kind).toBe("config");
  expect(failure.message).toBe(
    "/home/me/setup.sh failed with exit code 3\n  installing\n  out of strawberries",
  );
});
