import { describe, expect, test } from "bun:test";
import { type Cost, costTable } from "../../../scripts/benches/fand-table.ts";

const mebi = 1 << 20;
const cost: Cost = {
  seconds: 60,
  residentBytes: 40 * mebi,
  anonymousBytes: 4 * mebi,
  proportionalBytes: 10 * mebi,
  cpuSeconds: 0.03,
  wakeups: 66,
  logBytes: 0,
  dutyWrites: 0,
};
const table = (changes: Partial<Cost>) =>
  costTable("at rest", [
    { name: "berry", cost },
    { name: "a loop", cost: { ...cost, ...changes } },
  ]).split("\n");

describe("the table of what fan daemons cost", () => {
  test("is Markdown, with a column for each of them", () => {
    expect(table({}).slice(0, 3)).toEqual([
      "| at rest | berry | a loop |",
      "| --- | ---: | ---: |",
      "| resident memory | 40 MiB | 40 MiB (berry as much) |",
    ]);
  });

  test("says how much less or more the first one takes", () => {
    const lines = table({ residentBytes: 10 * mebi, cpuSeconds: 1.2, wakeups: 180 });
    expect(lines[2]).toBe("| resident memory | 40 MiB | 10 MiB (berry 4 × more) |");
    expect(lines[5]).toBe("| of a core | 0.050 % | 2 % (berry 40 × less) |");
    expect(lines[6]).toBe("| wakeups a second | 1.10 | 3 (berry 2.73 × less) |");
  });

  test("compares nothing with nothing, and has no duty of what drives no fan", () => {
    const lines = table({ logBytes: 7, dutyWrites: null });
    expect(lines[7]).toBe("| bytes of log | 0 | 7 |");
    expect(lines[8]).toBe("| writes of a duty | 0 | – |");
  });
});
