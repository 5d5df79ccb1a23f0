import { describe, expect, test } from "bun:test";
import { filteredPageBytes, pageLines, readLines } from "../../../../src/probe/health/page-lines.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

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

describe("a body that is there at once", () => {
  const chunk = new TextEncoder().encode("node_load1 1\n".repeat(5000));
  async function* bodyOf(chunks: number, onRead: () => void) {
    for (let count = 0; count < chunks; count += 1) {
      onRead();
      yield chunk;
    }
  }
  test("is not read beyond what it may be", async () => {
    const { signal } = new AbortController();
    let [chunks, lines] = [0, 0];
    const body = bodyOf(100, () => (chunks += 1));
    expect(await readLines(body, filteredPageBytes, () => (lines += 1), signal)).toBe(false);
    expect(chunks).toBe(Math.ceil(filteredPageBytes / chunk.length));
    expect(lines * "node_load1 1\n".length).toBeLessThanOrEqual(filteredPageBytes);
  });
  test("keeps nobody from saying that the time is over", async () => {
    const over = new AbortController();
    let chunks = 0;
    setTimeout(() => over.abort(new Error("late")), 0);
    const body = bodyOf(100, () => (chunks += 1));
    const reading = readLines(body, Infinity, () => undefined, over.signal);
    expect(await failureOf(reading)).toEqual(new Error("late"));
    expect(chunks).toBeLessThan(5);
  });
});
