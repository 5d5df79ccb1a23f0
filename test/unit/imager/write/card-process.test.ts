import { expect, test } from "bun:test";
import { stallWatch } from "../../../../src/imager/write/card-process.ts";

test("a silent card is told of every ten seconds, each time once", () => {
  const watch = stallWatch(1000);
  expect([10_999, 11_000, 11_900, 20_999, 21_000, 312_345].map((now) => watch.silence(now))).toEqual([
    null,
    10,
    null,
    null,
    20,
    310,
  ]);
});

test("an answer begins the silence anew", () => {
  const watch = stallWatch(0);
  expect(watch.silence(10_000)).toBe(10);
  watch.answered(15_000);
  expect(watch.silence(24_000)).toBeNull();
  expect(watch.silence(25_000)).toBe(10);
});

test("waiting for the image is no silence of the card", () => {
  const watch = stallWatch(0);
  watch.waitsFor(4096);
  expect(watch.silence(600_000)).toBeNull();
  watch.arrived(4095, 600_000);
  expect(watch.silence(700_000)).toBeNull();
  watch.arrived(4096, 700_000);
  expect(watch.silence(709_000)).toBeNull();
  expect(watch.silence(710_000)).toBe(10);
});

test("a card that asks for what is on its way to it already is waited for like any other", () => {
  const watch = stallWatch(0);
  watch.arrived(8192, 1000);
  watch.waitsFor(4096);
  expect(watch.silence(10_000)).toBe(10);
});

test("a card that answers waits for nothing", () => {
  const watch = stallWatch(0);
  watch.waitsFor(4096);
  watch.answered(1000);
  expect(watch.silence(11_000)).toBe(10);
});
