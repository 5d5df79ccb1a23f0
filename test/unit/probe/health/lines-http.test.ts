import { describe, expect, test } from "bun:test";
import { readLines } from "../../../../src/probe/health/lines-http.ts";
import { filteredPageBytes } from "../../../../src/probe/health/page-lines.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

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
