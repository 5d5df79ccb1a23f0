import { describe, expect, test } from "bun:test";
import { parseSample } from "../../../src/core/exposition.ts";

describe("a line of Prometheus' text format", () => {
  test.each([
    ["up 1", "up", {}, 1],
    ["up\t1 1700000000000", "up", {}, 1],
    ["node_load1{} 0.25", "node_load1", {}, 0.25],
    ['a:b_c{x="1",y="two",} 1e3', "a:b_c", { x: "1", y: "two" }, 1000],
    ['a { x = "1" , y = "2" } -4.5', "a", { x: "1", y: "2" }, -4.5],
    [String.raw`a{path="C:\\n\"x\"\n\\"} 1`, "a", { path: 'C:\\n"x"\n\\' }, 1],
    ['a{b="}, c=\\"1\\""} 2', "a", { b: '}, c="1"' }, 2],
    ["a +Inf", "a", {}, Infinity],
    ["a -Inf", "a", {}, -Infinity],
    ["a NaN", "a", {}, Number.NaN],
    ['a_bucket{le="1"} 3 # {trace="x"} 0.5', "a_bucket", { le: "1" }, 3],
    ["a 1\r", "a", {}, 1],
  ] as const)("is a sample: %s", (line, name, labels, value) => {
    expect(parseSample(line)).toEqual({ name, labels: new Map(Object.entries(labels)), value });
  });
  test.each([
    "",
    "# HELP up 1",
    "# TYPE up gauge",
    "up",
    "up1x",
    "up one",
    "1up 1",
    'a{b="1" 1',
    'a{b="1} 1',
    "a{b=1} 1",
    'a{="1"} 1',
    "a{b} 1",
    "a 1 2 3",
    "a 0x10",
    "<html>",
    'a{b="\\',
  ])("is no sample: %s", (line) => {
    expect(parseSample(line)).toBeNull();
  });
});
