import { expect, test } from "bun:test";
import {
  commonDistance,
  firstWrongBlock,
  mismatchCause,
  tellingSectors,
} from "../../../../src/imager/write/mismatch-cause.ts";

const MiB = 1024 * 1024;
/** Bytes that are no pattern. */
const noise = (seed: number, length = 16_384): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => ((index + seed) * 2654435761) >>> 24);

const facts = { expected: noise(1), again: null, astray: null };

function changed(at: number, change: (byte: number) => number): Uint8Array {
  const bytes = noise(1);
  bytes[at] = change(bytes[at] ?? 0);
  return bytes;
}

test("what belongs elsewhere means a card that begins anew at its true size", () => {
  const cause = mismatchCause({
    ...facts,
    found: noise(2),
    astray: { foundAt: 8 * MiB, belongsAt: 40 * MiB },
  });
  expect(cause).toContain("lies about its size");
  expect(cause).toContain("32.0 MiB at most");
});

test("what is right when it is read again means a bad reader", () => {
  expect(mismatchCause({ ...facts, found: changed(9000, (byte) => byte ^ 1), again: noise(1) })).toContain(
    "the reader or its cable is bad",
  );
});

test("zeros or ones where something was written means that the card keeps nothing", () => {
  expect(mismatchCause({ ...facts, found: new Uint8Array(16_384) })).toContain("(zeros came back)");
  expect(mismatchCause({ ...facts, found: new Uint8Array(16_384).fill(0xff) })).toContain("(ones came back)");
});

test("something else where something was written means the same", () => {
  expect(mismatchCause({ ...facts, found: noise(77), again: noise(77) })).toContain(
    "(something older came back)",
  );
});

test("few wrong bits are told apart from other content", () => {
  const found = changed(9000, (byte) => byte ^ 5);
  expect(mismatchCause({ ...facts, found, again: found })).toStartWith("2 bits are wrong");
  const one = changed(9000, (byte) => byte ^ 4);
  expect(mismatchCause({ ...facts, found: one, again: one })).toStartWith("1 bit is wrong");
});

test("the first block that differs is found, also in a last one that is short", () => {
  expect(
    firstWrongBlock(
      noise(1),
      changed(9000, (byte) => byte ^ 1),
    ),
  ).toBe(8192);
  expect(firstWrongBlock(noise(1, 5000), changed(4999, (byte) => byte ^ 1).subarray(0, 5000))).toBe(4096);
  expect(firstWrongBlock(noise(1), noise(1))).toBeNull();
});

test("sectors that tell where they belong differ and are no pattern", () => {
  const found = noise(1);
  found.fill(0, 512, 1024);
  found.set(noise(9, 1024), 2048);
  expect(tellingSectors(noise(1), found, 16)).toEqual([2048, 2560]);
  expect(tellingSectors(noise(1), found, 1)).toEqual([2048]);
});

test("one sector in a wrong place is believed, several have to agree", () => {
  const one = { foundAt: 0, belongsAt: 32 * MiB };
  const other = { foundAt: 512, belongsAt: 7 * MiB };
  const third = { foundAt: 40 * MiB, belongsAt: 8 * MiB };
  expect(commonDistance([])).toBeUndefined();
  expect(commonDistance([one])).toEqual(one);
  expect(commonDistance([one, other])).toBeUndefined();
  expect(commonDistance([other, one, third])).toEqual(one);
});
