import { describe, expect, test } from "bun:test";
import { parseTrace } from "../../../../src/fand/simulate/trace.ts";

describe("a trace", () => {
  test("holds what a line says until the next, and ends with the last", () => {
    const trace = parseTrace("# a comment\nseconds,celsius\n0,40\n2,50.5\n\n5,60\n", "x");
    expect({ ...trace, values: [...trace.values] }).toEqual({
      name: "x",
      kind: "celsius",
      values: [40, 40, 50.5, 50.5, 50.5, 60],
    });
    expect(parseTrace("Seconds, Watts\r\n0,3\r\n1,3\r\n", "x").kind).toBe("watts");
  });
  test("may begin later, with what it says first", () => {
    expect([...parseTrace("seconds,watts\n2,3\n4,3\n", "x").values]).toEqual([3, 3, 3, 3, 3]);
  });
  test("ends with its last line, between two seconds, too", () => {
    expect([...parseTrace("seconds,celsius\n0,40\n1.5,90\n", "x").values]).toEqual([40, 40, 90]);
  });
  test.each([
    ["", "x: line 1: begins with no heading"],
    ["time,temp\n0,1\n", "x: line 1: begins with no heading"],
    ["seconds,celsius\n0,40\n", "x: line 1: has less than two points"],
    ["seconds,celsius\n0,40\n1,hot\n", "x: line 3: is no point: 1,hot"],
    ["seconds,celsius\n5,40\n5,41\n", "x: line 3: comes at 5 s, after 5 s"],
    ["seconds,celsius\n0,40\n99999999,41\n", "x: line 3: ends after 99999999 s: 1 to 604800 s are possible"],
    ["seconds,watts\n0,400\n1,1\n", "x: line 2: says 400 W: 0 to 100 W are possible"],
    ["seconds,celsius\n0,40\n1,126\n", "x: line 3: says 126 °C: -40 to 125 °C are possible"],
  ])("is refused: %j", (text, message) => {
    expect(() => parseTrace(text, "x")).toThrow(message);
  });
});
