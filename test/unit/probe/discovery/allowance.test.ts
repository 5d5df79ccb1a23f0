import { expect, test } from "bun:test";
import { createAllowance } from "../../../../src/probe/discovery/allowance.ts";

const times = (count: number, take: () => boolean) =>
  Array.from({ length: count }, take).filter(Boolean).length;

test("a sender has its share, and everybody a little, however many senders there are", () => {
  const allowance = createAllowance(() => 16);
  expect(times(100, () => allowance.take("liar"))).toBe(16);
  for (let number = 0; number < 100; number += 1) times(100, () => allowance.take(`liar ${number}`));
  expect(times(10, () => allowance.take("pi1"))).toBe(2);
  expect(allowance.dropped).toBeGreaterThan(9000);
  allowance.renew();
  expect(times(10, () => allowance.take("pi1"))).toBe(10);
});
