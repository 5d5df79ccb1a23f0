import { describe, expect, test } from "bun:test";
import { defaultControl } from "../../../../src/fand/config/defaults.ts";
import { compareRules, savedPercent } from "../../../../src/fand/simulate/compare-rules.ts";
import { drawSvg } from "../../../../src/fand/simulate/draw-svg.ts";
import { modelTrace } from "../../../../src/fand/simulate/model-trace.ts";
import { buckets, plotColumns } from "../../../../src/fand/simulate/plot.ts";
import { replay } from "../../../../src/fand/simulate/replay.ts";
import { rpifandRule, usualSteps } from "../../../../src/fand/simulate/rules.ts";
import { shippedTraces } from "../../../../src/fand/simulate/shipped-traces.ts";
import { pi4, settled, warmed } from "../../../../src/fand/simulate/thermal-model.ts";
import { parseTrace } from "../../../../src/fand/simulate/trace.ts";
import { percent } from "../../../../src/fand/units.ts";

const berry = { control: defaultControl, intervalSeconds: 1 };
const rules = { berry, mended: rpifandRule(usualSteps, true), original: rpifandRule(usualSteps, false) };

describe("the thermal model", () => {
  test("settles where its constants say", () => {
    expect(settled(pi4, 8, percent(0))).toBeCloseTo(83.8, 1);
    expect(settled(pi4, 8, percent(100))).toBeCloseTo(52, 1);
  });
  test("comes as far in one step as in many", () => {
    let temperature = 40;
    for (let second = 0; second < 100; second += 1) temperature = warmed(pi4, temperature, 7, percent(40), 1);
    expect(temperature).toBeCloseTo(warmed(pi4, 40, 7, percent(40), 100), 9);
  });
});

describe("a replay", () => {
  test("of temperatures drives the fan, which does not change them", () => {
    const trace = parseTrace("seconds,celsius\n0,40\n100,60\n200,75\n300,40\n", "x");
    const { changes, peak, duties, temperatures } = replay(trace, berry, pi4);
    expect([duties[50], duties[99], duties[101], duties[150], duties[250]]).toEqual([0, 0, 100, 50, 100]);
    expect([temperatures[0], temperatures[250]]).toEqual([40, 75]);
    expect(peak as number).toBe(75);
    // off, kicked, down to half, full
    expect(changes).toBe(4);
  });
  test("of loads is cooled by its own fan", () => {
    const trace = parseTrace("seconds,watts\n0,8\n7200,8\n", "x");
    const { temperatures } = replay(trace, berry, pi4);
    expect(temperatures[7199]).toBeLessThan(settled(pi4, 8, percent(0)) - 15);
  });
  test("of the original's rule looks every ten seconds, and counts its changes", () => {
    const trace = parseTrace("seconds,celsius\n0,40\n15,61\n25,40\n300,40\n", "x");
    const { duties, changes } = replay(trace, rpifandRule(usualSteps, true), pi4);
    // the reading of 61 °C leaves its memory of 18 after three minutes
    expect([duties[19], duties[20], duties[199], duties[200]]).toEqual([0, 70, 70, 0]);
    expect(changes).toBe(3);
    expect(
      replay(parseTrace("seconds,celsius\n0,47\n60,47\n", "x"), rpifandRule(usualSteps, false), pi4)
        .averageDuty,
    ).toBe(100);
  });
});

describe("the default curve beside the original's rule", () => {
  test.each([...Object.entries(shippedTraces), ["model", null] as const])(
    "changes less often, and gets no warmer: %s",
    (name, text) => {
      const trace = text === null ? modelTrace() : parseTrace(text, name);
      const { berry: own, mended, rules: all } = compareRules(trace, rules);
      expect(own.peak).toBeLessThanOrEqual(mended.peak + 0.001);
      expect(all).toHaveLength(3);
      // an idle Pi is still under both
      if (mended.changes > 1) expect(savedPercent(own.changes, mended.changes)).toBeGreaterThanOrEqual(80);
      else expect(own.changes).toBe(mended.changes);
    },
  );
});

describe("pictures", () => {
  test("show the highest of every column, in eighths", () => {
    expect(
      plotColumns(
        new Float32Array([0, 0, 50, 100, 0, 25]),
        { lowest: 0, highest: 100 },
        { width: 3, height: 2 },
      ),
    ).toEqual([" █ ", " █▄"]);
  });
  test("have no more columns than values", () => {
    expect(buckets(new Float32Array([1, 2]), 80)).toEqual([
      { least: 1, most: 1 },
      { least: 2, most: 2 },
    ]);
  });
  test("as SVG are well-formed, and carry the figures", async () => {
    const { rules: drawn } = compareRules(parseTrace(shippedTraces["stress"] ?? "", "stress"), rules);
    const svg = drawSvg("a <title> & more", drawn);
    expect(svg.match(/<polyline /g)).toHaveLength(6);
    expect(svg).toContain("a &lt;title&gt; &amp; more");
    expect(svg).toContain(`berry: ${drawn[0]?.replay.changes} changes`);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});
