import { describe, expect, test } from "bun:test";
import {
  isResumable,
  judge,
  resumeHeaders,
  retryDelayMilliseconds,
  type PartRecord,
  type ResponseHead,
} from "../../../../src/imager/download/decisions.ts";

const url = "http://mirror.test/rootfs.tar.gz";
const record: PartRecord = { url, validator: '"v1"', totalBytes: 1000 };
const resumed = { record, partBytes: 400 };
const now = Date.parse("2026-01-01T00:00:00Z");

function head(status: number, headers: Readonly<Record<string, string>> = {}): ResponseHead {
  return { status, header: (name) => headers[name] ?? null };
}

describe("asking for the rest of a part", () => {
  test("sends Range, and If-Range so that a changed file comes whole", () => {
    expect(resumeHeaders(record, 400)).toEqual({ range: "bytes=400-", "if-range": '"v1"' });
  });

  test("asks for the whole file when there is no part or nothing to compare it by", () => {
    expect(resumeHeaders(null, 400)).toEqual({});
    expect(resumeHeaders(record, 0)).toEqual({});
    expect(resumeHeaders({ ...record, validator: null }, 400)).toEqual({});
  });

  test("a part is of use only for its own URL and up to the length of the file", () => {
    expect(isResumable(record, url, 400)).toBe(true);
    expect(isResumable(record, url, 1000)).toBe(true);
    expect(isResumable(record, url, 1001)).toBe(false);
    expect(isResumable(record, `${url}.old`, 400)).toBe(false);
    expect(isResumable({ ...record, validator: null }, url, 400)).toBe(false);
    expect(isResumable({ ...record, totalBytes: null }, url, 4000)).toBe(true);
  });
});

describe("judging a response", () => {
  test("200 starts from zero and keeps the strong ETag and the length", () => {
    const headers = {
      etag: '"v2"',
      "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
      "content-length": "12",
    };
    expect(judge(url, head(200, headers), resumed, now)).toEqual({
      kind: "restart",
      record: { url, validator: '"v2"', totalBytes: 12 },
    });
  });

  test("a weak ETag is passed over for Last-Modified", () => {
    const headers = { etag: 'W/"v2"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" };
    expect(judge(url, head(200, headers), null, now)).toEqual({
      kind: "restart",
      record: { url, validator: "Thu, 01 Jan 2026 00:00:00 GMT", totalBytes: null },
    });
  });

  test("206 continues where the part ends", () => {
    const verdict = judge(
      url,
      head(206, { "content-range": "bytes 400-999/1000", etag: '"v1"' }),
      resumed,
      now,
    );
    expect(verdict).toEqual({ kind: "append", offset: 400, record });
  });

  test("206 of another place, another version or another length is not appended", () => {
    const discarded = [
      head(206, { "content-range": "bytes 0-999/1000" }),
      head(206, { "content-range": "bytes 400-999/1000", etag: '"v2"' }),
      head(206, { "content-range": "bytes 400-1999/2000" }),
      head(206),
    ].map((response) => judge(url, response, resumed, now).kind);
    expect(discarded).toEqual(["discard", "discard", "discard", "discard"]);
  });

  test("206 to a request for the whole file is not taken", () => {
    expect(judge(url, head(206, { "content-range": "bytes 0-9/10" }), null, now).kind).toBe("discard");
  });

  test("416 means that the part is whole if the length fits, and useless otherwise", () => {
    expect(judge(url, head(416, { "content-range": "bytes */400" }), resumed, now)).toEqual({
      kind: "complete",
    });
    expect(judge(url, head(416, { "content-range": "bytes */300" }), resumed, now).kind).toBe("discard");
    expect(judge(url, head(416), resumed, now).kind).toBe("discard");
  });

  test("404 and 403 are final, and say what to do", () => {
    for (const [status, kind] of [
      [404, "no-input"],
      [410, "no-input"],
      [403, "no-permission"],
      [400, "unavailable"],
    ] as const) {
      const verdict = judge(url, head(status), null, now);
      if (verdict.kind !== "fail") throw new Error(`${status} gave ${verdict.kind}`);
      expect(verdict.error.kind).toBe(kind);
      expect(verdict.error.message).toContain(url);
      expect(verdict.error.hint).toBeString();
    }
  });

  test("trouble of the server is tried again, when it asks for it", () => {
    const wait = (status: number, retryAfter?: string) => {
      const verdict = judge(
        url,
        head(status, retryAfter === undefined ? {} : { "retry-after": retryAfter }),
        null,
        now,
      );
      return verdict.kind === "retry" ? verdict.waitMilliseconds : verdict.kind;
    };
    expect(wait(503)).toBeNull();
    expect(wait(429, "7")).toBe(7_000);
    expect(wait(503, "Thu, 01 Jan 2026 00:00:10 GMT")).toBe(10_000);
    expect(wait(503, "Wed, 31 Dec 2025 00:00:00 GMT")).toBe(0);
    expect(wait(503, "86400")).toBe(120_000);
    expect(wait(503, "soon")).toBeNull();
  });
});

describe("waiting between attempts", () => {
  test("doubles from 1 s to 30 s", () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((failures) => retryDelayMilliseconds(failures, 0))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });

  test("jitter takes up to half of it away", () => {
    expect(retryDelayMilliseconds(3, 0.5)).toBe(3_000);
    expect(retryDelayMilliseconds(3, 1)).toBe(2_000);
  });
});
