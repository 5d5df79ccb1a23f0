import type { RpifandFile } from "./rpifand.ts";
import { rpifandFrequencyHz, stepCurve } from "./rpifand.ts";

/** A fand.toml that does what an rpifand.toml did, by berry's own rules: few changes, one sensor reading a second. */
export function renderMigrated({ settings, steps }: RpifandFile): string {
  const [fan] = settings.fans;
  if (fan === undefined) return "";
  const head = [
    `# /etc/berry/fand.toml, from ${settings.file ?? "the file of rpifand"}`,
    `pin = ${fan.pin}`,
    `mode = "${fan.mode}"`,
  ];
  if (steps === null) {
    const { rule } = fan.control;
    const on = rule.rule === "rpifand" ? (rule.curve.points[1]?.at ?? 60) : 60;
    const readings = rule.rule === "rpifand" ? rule.readings : 1;
    return lines([
      ...head,
      `on = ${on}`,
      "# rpifand switched off at once below it, and waited for its readings to pass; berry leaves a gap",
      `off = ${on - 5}`,
      `minimum_on = ${Math.min(86_400, settings.intervalSeconds * readings)}`,
    ]);
  }
  const points: { at: number; duty: number }[] = [];
  for (const { at, duty } of stepCurve(steps).points) {
    const highest = Math.max(duty, points.at(-1)?.duty ?? 0);
    // a curve of berry's never falls, and needs no point that repeats the one before
    if (highest !== points.at(-1)?.duty) points.push({ at: Math.max(at, -40), duty: highest });
  }
  const turning = points.map(({ duty }) => duty).filter((duty) => duty > 0);
  return lines([
    ...head,
    `curve = [${points.map(({ at, duty }) => `[${at}, ${duty}]`).join(", ")}]`,
    'interpolation = "steps"',
    `minimum_duty = ${turning.length === 0 ? 100 : Math.min(...turning)}`,
    "# what rpifand drove the fan with; fans with four wires want 25000, the Argon mini fan 50",
    `frequency = ${rpifandFrequencyHz}`,
  ]);
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
