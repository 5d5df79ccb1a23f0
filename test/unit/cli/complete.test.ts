import { describe, expect, test } from "bun:test";
import { complete, type Lists } from "../../../src/cli/complete.ts";
import { defineGroup, defineVerb } from "../../../src/cli/verb.ts";

const bake = defineVerb({
  description: "bake",
  examples: ["berry imager bake"],
  args: {
    file: { type: "string", alias: "f", valueHint: "FILE" },
    output: { type: "string", valueHint: "FOLDER" },
    format: { type: "enum", options: ["xz", "zst"] },
    fresh: { type: "boolean" },
    sparse: { type: "boolean", default: true },
  },
  rest: { name: "NODE", description: "nodes" },
  run: () => undefined,
});
const write = defineVerb({
  description: "write",
  examples: ["berry imager write"],
  rest: { name: "NODE|FILE DEVICE", description: "pairs" },
  run: () => undefined,
});
const shell = defineVerb({
  description: "shell",
  examples: ["berry imager shell"],
  args: { node: { type: "positional", required: true } },
  run: () => undefined,
});
const entry = <T extends { readonly description: string }>(command: T) => ({
  description: command.description,
  load: () => Promise.resolve(command),
});
const root = defineGroup({
  description: "berry",
  examples: ["berry"],
  commands: {
    init: entry(shell),
    imager: entry(
      defineGroup({
        description: "imager",
        examples: ["berry imager"],
        defaultVerb: "bake",
        commands: {
          bake: entry(bake),
          write: entry(write),
          shell: entry(shell),
          worker: { ...entry(shell), hidden: true },
        },
      }),
    ),
  },
});
const list = (...values: readonly string[]) => values.map((value) => ({ value, description: "" }));
const lists: Lists = {
  NODE: () => Promise.resolve(list("pi1", "pi2")),
  DEVICE: () => Promise.resolve(list("/dev/sdb")),
};

const globals = ["--json", "--no-color", "--verbose", "--help", "--version"];
describe("the last word", () => {
  test.each([
    [[""], ["init", "imager"], "none"],
    [["im"], ["imager"], "none"],
    [["-"], globals, "none"],
    [["--json", "im"], ["imager"], "none"],
    [["imager", ""], ["bake", "write", "shell", "pi1", "pi2"], "none"],
    [["imager", "p"], ["pi1", "pi2"], "none"],
    [["imager", "pi1", "pi"], ["pi1", "pi2"], "none"],
    [["imager", "--fr"], ["--fresh"], "none"],
    [["imager", "--fresh", "p"], ["pi1", "pi2"], "none"],
    [["imager", "bake", "--f"], ["--file", "--format", "--fresh"], "none"],
    [["imager", "bake", "--fresh", "--fr"], [], "none"],
    [["imager", "bake", "--no-"], ["--no-sparse", "--no-color"], "none"],
    [["imager", "bake", "--format", ""], ["xz", "zst"], "none"],
    [["imager", "bake", "--format=z"], ["--format=zst"], "none"],
    [["imager", "bake", "-f", "x"], [], "files"],
    [["imager", "bake", "--file", ""], [], "files"],
    [["imager", "bake", "--file=x", "pi1"], ["pi1"], "none"],
    [["imager", "bake", "--output", ""], [], "folders"],
    [["imager", "bake", "--", "-"], [], "none"],
    [["imager", "write", ""], ["pi1", "pi2"], "files"],
    [["imager", "write", "pi1", ""], ["/dev/sdb"], "none"],
    [["imager", "write", "pi1", "/dev/sdb", "pi"], ["pi1", "pi2"], "files"],
    [["imager", "shell", ""], ["pi1", "pi2"], "none"],
    [["imager", "shell", "pi1", ""], [], "none"],
    [["init", "--nothing", ""], ["pi1", "pi2"], "none"],
    [["nothing", ""], [], "none"],
  ] as const)("%p", async (words, values, paths) => {
    const found = await complete(root, words, lists);
    expect(found.candidates.map(({ value }) => value)).toEqual([...values]);
    expect(found.paths).toBe(paths);
  });
  test("is completed by what can be known where a list cannot be had", async () => {
    const broken: Lists = { ...lists, NODE: () => Promise.reject(new Error("no berry.toml")) };
    expect(await complete(root, ["imager", "write", ""], broken)).toEqual({ candidates: [], paths: "files" });
  });
});
