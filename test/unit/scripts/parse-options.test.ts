import { describe, expect, test } from "bun:test";
import { parseOptions } from "../../../scripts/parse-options.ts";

const parse = (...args: string[]) =>
  parseOptions({ args, options: { out: { type: "string" }, quick: { type: "boolean" } } });

describe("the options of scripts", () => {
  test("are what node's parseArgs makes of them", () => {
    expect({ ...parse("--out", "folder", "--quick").values }).toEqual({ out: "folder", quick: true });
  });
  test.each([
    [["--bogus"], "unknown option '--bogus'"],
    [["--out"], "option '--out <value>' argument missing"],
    [["--quick=yes"], "option '--quick' does not take an argument"],
    [["folder"], "unexpected argument 'folder'"],
  ] as const)("are refused in one clause: %p", (words, said) => {
    expect(() => parse(...words)).toThrow(new RegExp(`^${said}[^.\n]*$`));
  });
});
