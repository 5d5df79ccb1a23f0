import { describe, expect, test } from "bun:test";
import { run } from "./fakes.ts";

async function refused(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(words);
  expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
  return stderr;
}

async function accepted(...words: string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await run(words);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout);
}

const untouched = { force: false, cache: true, shape: "table" };

describe("what is typed wrong is refused, and the right thing named", () => {
  test("an unknown flag", async () => {
    expect(await refused("oven", "bake", "--otput=x")).toBe(
      "error: unknown flag --otput of berry oven bake\nhint: did you mean --output?\n",
    );
  });
  test("an unknown flag that resembles nothing", async () => {
    expect(await refused("oven", "bake", "--zzzzzzzz")).toContain(
      "hint: berry oven bake --help lists the flags",
    );
  });
  test("an unknown flag before any command", async () => {
    expect(await refused("--jsn", "oven")).toContain(
      "unknown flag --jsn of berry\nhint: did you mean --json?",
    );
  });
  test("an unknown letter, alone and in a group", async () => {
    expect(await refused("oven", "bake", "-x")).toContain("unknown flag -x of berry oven bake");
    expect(await refused("oven", "bake", "-fx")).toContain("unknown flag -fx of berry oven bake");
  });
  test("a flag of another verb", async () => {
    expect(await refused("oven", "write", "pi1", "--force")).toContain(
      "unknown flag --force of berry oven write",
    );
  });
  test("the negation of a flag that has none", async () => {
    expect(await refused("oven", "bake", "--no-force")).toContain("unknown flag --no-force");
  });
  test("the camel case that citty would take", async () => {
    expect(await refused("oven", "bake", "--Output", "x")).toContain("did you mean --output?");
  });
  test("an unknown command", async () => {
    expect(await refused("ovn")).toBe(
      "error: unknown command 'ovn' of berry\nhint: did you mean berry oven?\n",
    );
  });
  test("a name that every object has is no command", async () => {
    expect(await refused("constructor")).toContain("unknown command 'constructor'");
  });
  test("a slip of the default verb's siblings, unless it is said to be a node", async () => {
    expect(await refused("oven", "wirte")).toBe(
      "error: unknown command 'wirte' of berry oven\n" +
        "hint: did you mean berry oven write? A node of this name: berry oven bake wirte\n",
    );
    expect(await accepted("oven", "bake", "wirte")).toEqual({ args: untouched, rest: ["wirte"] });
  });
  test("a missing positional", async () => {
    expect(await refused("oven", "write")).toContain("error: berry oven write needs NODE\n");
  });
  test("what is below 0", async () => {
    expect(await refused("oven", "bake", "--output", "-1s")).toBe(
      "error: --output takes nothing below 0, got -1s\nhint: berry oven bake --help says what it takes\n",
    );
    expect(await refused("oven", "write", "-5%")).toStartWith(
      "error: berry oven write takes nothing below 0, got -5%\n",
    );
  });
  test("positionals too many", async () => {
    expect(await refused("oven", "write", "a", "b", "c", "d")).toContain(
      "berry oven write does not take 'c' 'd'",
    );
  });
  test("a flag without its value, at the end and before another flag", async () => {
    expect(await refused("oven", "bake", "--output")).toContain("--output needs a value");
    expect(await refused("oven", "bake", "-o", "--force")).toContain("-o needs a value");
    expect(await refused("oven", "bake", "--output=")).toContain("--output needs a value");
  });
  test("a value for a flag that takes none", async () => {
    expect(await refused("oven", "bake", "--force=yes")).toContain("--force takes no value, got --force=yes");
  });
  test("a flag given twice", async () => {
    expect(await refused("oven", "bake", "-o", "x", "--output", "y")).toContain("--output was given twice");
  });
  test("a value that is not one of the known ones", async () => {
    expect(await refused("oven", "bake", "--shape", "tabel")).toBe(
      "error: --shape of berry oven bake is one of table, list, got 'tabel'\nhint: did you mean table?\n",
    );
  });
});

describe("what is typed right arrives", () => {
  test("without a verb, the default verb gets everything", async () => {
    expect(await accepted("oven")).toEqual({ args: untouched, rest: [] });
    expect(await accepted("oven", "pi1", "-o", "x", "pi2")).toEqual({
      args: { ...untouched, output: "x" },
      rest: ["pi1", "pi2"],
    });
    expect(await accepted("oven", "--force", "pi1")).toEqual({
      args: { ...untouched, force: true },
      rest: ["pi1"],
    });
  });
  test("values after a space and after an equals sign, and with equals signs in them", async () => {
    expect(await accepted("oven", "bake", "--output", "a b")).toEqual({
      args: { ...untouched, output: "a b" },
      rest: [],
    });
    expect(await accepted("oven", "bake", "--output=-a=b", "--shape=list")).toEqual({
      args: { ...untouched, output: "-a=b", shape: "list" },
      rest: [],
    });
  });
  test("letters alone and in a group", async () => {
    expect(await accepted("oven", "bake", "-vf")).toEqual({ args: { ...untouched, force: true }, rest: [] });
  });
  test("a negated flag", async () => {
    expect(await accepted("oven", "bake", "--no-cache")).toEqual({
      args: { ...untouched, cache: false },
      rest: [],
    });
  });
  test("words after -- are no flags", async () => {
    expect(await accepted("oven", "bake", "--", "-x", "--help")).toEqual({
      args: untouched,
      rest: ["-x", "--help"],
    });
  });
  test("an optional positional is undefined when it is not given", async () => {
    expect(await accepted("oven", "write", "pi1")).toEqual({ args: { node: "pi1" }, rest: [] });
    expect(await accepted("oven", "write", "pi1", "-")).toEqual({
      args: { node: "pi1", device: "-" },
      rest: [],
    });
  });
  test("a hidden command runs", async () => {
    expect(await accepted("oven", "worker", "pi1")).toEqual({ args: { node: "pi1" }, rest: [] });
  });
  test("a flag of every command stands before the command, too", async () => {
    expect(await accepted("--verbose", "oven", "--no-color", "write", "pi1")).toEqual({
      args: { node: "pi1" },
      rest: [],
    });
  });
});
