import { describe, expect, test } from "bun:test";
import { codeOf, isMissing } from "../../../src/core/errors.ts";

const systemError = (code: string) => Object.assign(new Error("x"), { code });

test("the code of a system error is told; nothing else has one", () => {
  expect(codeOf(systemError("ENOSPC"))).toBe("ENOSPC");
  expect(codeOf(new Error("ENOSPC"))).toBeNull();
  expect(codeOf({ code: "ENOSPC" })).toBeNull();
});

describe("isMissing", () => {
  test("knows what is not there from what cannot be read", () => {
    expect(isMissing(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe(true);
    expect(isMissing(Object.assign(new Error("x"), { code: "ENOTDIR" }))).toBe(true);
    expect(isMissing(Object.assign(new Error("x"), { code: "EACCES" }))).toBe(false);
    expect(isMissing("ENOENT")).toBe(false);
  });
});
