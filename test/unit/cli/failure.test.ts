import { describe, expect, test } from "bun:test";
import { run, sampleCommands } from "./fakes.ts";
import { exitCodes } from "../../../src/cli/exit-codes.ts";
import { createOutput, mayColor } from "../../../src/cli/output.ts";
import { defineVerb } from "../../../src/cli/verb.ts";
import { BerryError, type FailureKind } from "../../../src/core/errors.ts";

function failing(thrown: unknown) {
  const fail = defineVerb({
    description: "fail",
    examples: ["berry fail"],
    run: () => Promise.reject(thrown),
  });
  return sampleCommands({ fail });
}

const readme = await Bun.file(new URL("../../../README.md", import.meta.url)).text();

describe("exit codes", () => {
  test("a failure of each kind ends with its own code", async () => {
    const kinds = Object.keys(exitCodes) as FailureKind[];
    const codes = await Promise.all(
      kinds.map(async (kind) => (await run(["fail"], failing(new BerryError(kind, "no")))).exitCode),
    );
    expect(codes).toEqual([1, 64, 65, 66, 69, 70, 71, 73, 74, 75, 76, 77, 78, 130]);
  });
  test("README tells the same table", () => {
    const rows = [...readme.matchAll(/^\| (\d+) +\| (.+?) +\|$/gm)].map(([, code, meaning]) => [
      Number(code),
      meaning,
    ]);
    const table = Object.values(exitCodes).map(({ code, meaning }) => [code, meaning]);
    expect(rows).toEqual([[0, "done"], ...table]);
  });
});

describe("a failure", () => {
  test("is an error and a hint on stderr, with the causes", async () => {
    const thrown = new BerryError("no-input", "cannot read berry.toml", {
      hint: "berry init makes one",
      cause: new Error("it is a folder"),
    });
    expect(await run(["fail"], failing(thrown))).toEqual({
      exitCode: 66,
      stdout: "",
      stderr: "error: cannot read berry.toml: it is a folder\nhint: berry init makes one\n",
    });
  });
  test("is one JSON object on stdout with --json", async () => {
    const { stdout, stderr } = await run(
      ["fail", "--json"],
      failing(new BerryError("config", "x: y", { hint: "z" })),
    );
    expect(stdout).toBe('{"event":"failed","kind":"config","message":"x: y","hint":"z"}\n');
    expect(stderr).toBe("");
  });
  test("of the command line is JSON, too, when --json was typed", async () => {
    const { stdout, exitCode } = await run(["ovn", "--json"]);
    expect(JSON.parse(stdout)).toEqual({
      event: "failed",
      kind: "usage",
      message: "unknown command 'ovn' of berry",
      hint: "did you mean berry oven?",
    });
    expect(exitCode).toBe(64);
  });
  test("that nobody foresaw is called a fault, and traced with --verbose alone", async () => {
    const quiet = await run(["fail"], failing(new TypeError("x is not a function")));
    expect(quiet.exitCode).toBe(70);
    expect(quiet.stderr).toContain("error: a fault in berry: x is not a function\nhint: ");
    expect(quiet.stderr).not.toContain("failure.test.ts");
    const verbose = await run(["fail", "--verbose"], failing(new TypeError("x is not a function")));
    expect(verbose.stderr).toContain("failure.test.ts");
  });
  test("of the system is told by what it means", async () => {
    const full = Object.assign(new Error("no space left on device, write"), { code: "ENOSPC" });
    expect((await run(["fail"], failing(full))).exitCode).toBe(73);
    const denied = Object.assign(new Error("permission denied"), { code: "EACCES" });
    expect((await run(["fail"], failing(denied))).exitCode).toBe(77);
  });
  test("after an interruption is the interruption, whatever it was wrapped in", async () => {
    const controller = new AbortController();
    controller.abort(new BerryError("interrupted", "interrupted by SIGINT"));
    const wrapped = new BerryError("io", "the download broke off", { cause: controller.signal.reason });
    const { exitCode, stderr } = await run(["fail"], failing(wrapped), controller.signal);
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "error: interrupted by SIGINT\n" });
  });
  test("that happens beside an interruption is told as it is", async () => {
    const controller = new AbortController();
    controller.abort(new BerryError("interrupted", "interrupted by SIGINT"));
    const { exitCode, stderr } = await run(
      ["fail"],
      failing(new BerryError("io", "cannot unmount /x")),
      controller.signal,
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 74, stderr: "error: cannot unmount /x\n" });
  });
});

describe("colours", () => {
  const plain = { env: {}, refused: false };
  test("need a terminal", () => {
    expect(mayColor(true, plain)).toBe(true);
    expect(mayColor(false, plain)).toBe(false);
  });
  test("are refused by --no-color, NO_COLOR and a dumb terminal", () => {
    expect(mayColor(true, { ...plain, refused: true })).toBe(false);
    expect(mayColor(true, { ...plain, env: { NO_COLOR: "0" } })).toBe(false);
    expect(mayColor(true, { ...plain, env: { TERM: "dumb" } })).toBe(false);
  });
  test("are not refused by an empty NO_COLOR", () => {
    expect(mayColor(true, { ...plain, env: { NO_COLOR: "" } })).toBe(true);
  });
});

describe("an output whose reader went away", () => {
  test("falls silent, and any other error is told once", () => {
    const told: string[] = [];
    const written: string[] = [];
    let tell: (error: Error) => void = () => undefined;
    const stream = {
      write: (text: string) => written.push(text),
      on: (_event: "error", listener: (error: Error) => void) => (tell = listener),
    };
    const output = createOutput(stream, { env: {}, refused: false }, ({ message }) => told.push(message));
    output.write("one");
    tell(Object.assign(new Error("broken pipe"), { code: "EPIPE" }));
    output.write("two");
    expect(written).toEqual(["one"]);
    expect(told).toEqual([]);
    const full = createOutput(stream, { env: {}, refused: false }, ({ message }) => told.push(message));
    for (const code of ["ENOSPC", "EIO"]) tell(Object.assign(new Error(code), { code }));
    full.write("three");
    expect({ told, written }).toEqual({ told: ["ENOSPC"], written: ["one"] });
  });
  test.each([
    [0, 80],
    [undefined, 80],
    [132, 132],
  ])("of a terminal that says it has %p columns has %p", (columns, shown) => {
    const size = columns === undefined ? {} : { columns };
    const stream = { isTTY: true, ...size, write: () => true, on: () => undefined };
    expect(createOutput(stream, { env: {}, refused: false }, () => undefined).columns).toBe(shown);
  });
});
