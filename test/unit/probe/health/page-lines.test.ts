import { expect, test } from "bun:test";
import { pageLines } from "../../../../src/probe/health/page-lines.ts";

test("a body is read by lines, wherever it is cut, but for lines that are too long to be one", () => {
  const long = "x".repeat(20_000);
  const bytes = new TextEncoder().encode(`a 1\n\nhö 2\n${long}\nb 3`);
  for (const size of [1, 7, 1000, 100_000]) {
    const lines: string[] = [];
    const reader = pageLines((line) => lines.push(line), 100_000);
    for (let at = 0; at < bytes.length; at += size)
      expect(reader.push(bytes.subarray(at, at + size))).toBe(true);
    reader.end();
    expect(lines).toEqual(["a 1", "hö 2", "b 3"]);
  }
});

test("a body that is longer than it may be is refused, and nothing is read of what is too much", () => {
  const lines: string[] = [];
  const reader = pageLines((line) => lines.push(line), 10);
  const chunk = new TextEncoder().encode("a 1\n");
  expect([1, 2, 3, 4].map(() => reader.push(chunk))).toEqual([true, true, false, false]);
  expect(lines).toEqual(["a 1", "a 1"]);
});
