import { describe, expect, test } from "bun:test";
import { figureTable, median, type Figure } from "../../../scripts/benches/figures.ts";

describe("the median", () => {
  test("of an odd number of values is the middle one, whatever their order", () => {
    expect(median([9, 1, 10])).toBe(9);
  });

  test("of an even number of values lies between the two in the middle", () => {
    expect(median([1, 100, 4, 2])).toBe(3);
  });

  test("of one value is that value, and of none there is none", () => {
    expect(median([7])).toBe(7);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("the table of figures", () => {
  const figure: Figure = {
    bench: "bake",
    name: "wall time",
    unit: "s",
    berry: [20, 30, 10],
    other: [110, 99, 300],
  };
  const cells = (changes: Partial<Figure>): string[] =>
    (figureTable([{ ...figure, ...changes }]).split("\n")[2] ?? "")
      .split(" | ")
      .map((cell) => cell.replace(/^\| | \|$/g, ""));

  test("is Markdown: a head, a rule, and a row for every figure", () => {
    expect(figureTable([figure, { ...figure, name: "CPU time" }])).toBe(
      [
        "| bench | figure | berry | the other way | ratio | runs |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        "| bake | wall time | 20.0 s | 110 s | 5.50 × less | 3 |",
        "| bake | CPU time | 20.0 s | 110 s | 5.50 × less | 3 |",
        "",
      ].join("\n"),
    );
  });

  test("says so where berry takes more", () => {
    expect(cells({ berry: [3], other: [1.5] })[4]).toBe("2.00 × more");
  });

  test("has no ratio to what is nothing", () => {
    expect(cells({ unit: "%", berry: [12], other: [0] }).slice(2, 5)).toEqual(["12 %", "0 %", "–"]);
  });

  test("counts the runs that both sides did", () => {
    expect(cells({ berry: [1, 2], other: [1] })[5]).toBe("1");
  });

  test("does not call a part of a MiB nothing, and has as many digits of what is rounded up", () => {
    expect(cells({ unit: "MiB", berry: [0.204], other: [0] }).slice(2, 4)).toEqual(["0.20 MiB", "0 MiB"]);
    expect(cells({ berry: [9.998], other: [99.97] }).slice(2, 4)).toEqual(["10.0 s", "100 s"]);
  });

  test("gives sizes and shares as whole numbers, seconds with three digits", () => {
    expect(cells({ unit: "MiB", berry: [210.6], other: [640.4] }).slice(2, 4)).toEqual([
      "211 MiB",
      "640 MiB",
    ]);
    expect(cells({ berry: [1.234], other: [12.34] }).slice(2, 4)).toEqual(["1.23 s", "12.3 s"]);
  });
});
