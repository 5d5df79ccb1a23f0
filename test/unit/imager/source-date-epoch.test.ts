import { describe, expect, test } from "bun:test";
import { BerryError } from "../../../src/core/errors.ts";
import {
  epochEnvironment,
  parseSourceDateEpoch,
  unreproducible,
} from "../../../src/imager/source-date-epoch.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { makeNode } from "./plan/cluster-values.ts";

const now = 1_800_000_000;
const mke2fsVersion = "1.47.0";

describe("SOURCE_DATE_EPOCH", () => {
  test.each([
    [undefined, null],
    ["", null],
    ["1", 1],
    ["1700000000", 1_700_000_000],
    [String(now), now],
  ])("%p is %p", (text, seconds) => {
    expect(parseSourceDateEpoch(text, now)).toBe(seconds);
  });
  test.each(["0", "-1", "1.5", "1e9", " 1700000000", "2023-11-14", "99999999999999999999", String(now + 1)])(
    "refuses %p as a wrong use",
    async (text) => {
      const thrown = await failureOf(Promise.try(() => parseSourceDateEpoch(text, now)));
      expect(thrown).toBeInstanceOf(BerryError);
      expect(thrown).toMatchObject({ kind: "usage" });
      expect(String(thrown)).toContain(text);
    },
  );
  test("is told to programs by both of its names", () => {
    expect(epochEnvironment(0)).toEqual({ SOURCE_DATE_EPOCH: "0", E2FSPROGS_FAKE_TIME: "0" });
    expect(epochEnvironment(null)).toEqual({});
  });
});

describe("what keeps images from being the same again", () => {
  const byHash = makeNode("pi1", { user: { password: { kind: "hash", hash: "$6$salt$hash" } } });
  const byFile = makeNode("pi2", { user: { password: { kind: "file", path: "/secret/password" } } });
  const byKey = makeNode("pi3", { user: { password: null } });
  test("is nothing that anybody asked for without SOURCE_DATE_EPOCH", () => {
    expect(unreproducible([byFile], { sourceDateEpoch: null, mke2fsVersion })).toEqual([]);
  });
  test("is the salt of a password from a file, and not a hash or a key", () => {
    expect(unreproducible([byHash, byKey], { sourceDateEpoch: 0, mke2fsVersion })).toEqual([]);
    const [problem, ...more] = unreproducible([byHash, byFile, byKey], { sourceDateEpoch: 0, mke2fsVersion });
    expect(problem?.what).toContain("password of pi2 ");
    expect(problem?.remedy).toContain("password_hash");
    expect(more).toEqual([]);
  });
  test.each([
    ["1.46.5", 1],
    ["1.9", 1],
    ["1.47.0", 0],
    ["1.47.2", 0],
    ["1.100", 0],
    [null, 0],
  ])("is an e2fsprogs older than those that were tried: %p", (version, count) => {
    expect(unreproducible([byHash], { sourceDateEpoch: 0, mke2fsVersion: version })).toHaveLength(count);
  });
});
