import type { Style } from "../../cli/style.ts";
import { printable } from "../../core/printable.ts";
import { harmlessJson, rowObject } from "../../probe/formats/row-object.ts";
import type { Row } from "../../probe/row.ts";
import { tellTroubles } from "./tell-rows.ts";

/**
 * Tells the rows as they change, a line a change: as JSON with every new value, for people when a node's state or what
 * ails it changes.
 * @returns a function that gets all rows each time
 */
export function createTeller(isJson: boolean, style: Style): (rows: readonly Row[]) => readonly string[] {
  let before = new Map<string, string>();
  return (rows) => {
    const lines: string[] = [];
    const now = new Map<string, string>();
    for (const row of rows) {
      const key = JSON.stringify([
        row.name,
        row.serial,
        row.serial === null ? `${row.host}:${row.port}` : null,
      ]);
      const told = isJson ? jsonOf(row) : tellRow(row, style);
      const fact = isJson ? settled(row) : factOf(row);
      if (before.get(key) !== fact) lines.push(told);
      now.set(key, fact);
    }
    for (const key of before.keys()) if (!now.has(key)) lines.push(tellGone(key, isJson));
    before = now;
    return lines;
  };
}

function jsonOf(row: Row): string {
  return harmlessJson({ event: "node", ...rowObject(row) });
}

/** Without what changes with every look. */
function settled(row: Row): string {
  const { uptime_seconds: _, answer, ...rest } = rowObject(row);
  return JSON.stringify({ ...rest, answer: answer?.answer ?? null });
}

/** A degree more, or a second, is no news. */
function factOf({ state, addresses, ailments, warnings, answer }: Row): string {
  const why = answer === null || answer.answer === "page" ? null : answer.why;
  const ills = ailments.map(({ severity, what }) => `${severity} ${what.replaceAll(/\d+(?:\.\d+)?/g, "0")}`);
  return JSON.stringify([state, addresses[0]?.address, ills, warnings, why]);
}

function tellRow(row: Row, style: Style): string {
  const troubles = tellTroubles([row], style);
  const address = row.addresses[0]?.address;
  const at = address === undefined ? "" : `, ${printable(address)}`;
  const state = `${printable(row.name)}: ${row.state}${at}`;
  return [state, ...troubles.map((trouble) => `  ${trouble}`)].join("\n");
}

function tellGone(key: string, isJson: boolean): string {
  const [name, serial] = JSON.parse(key) as readonly [string, string | null];
  return isJson ? harmlessJson({ event: "gone", name, serial }) : `${printable(name)}: gone`;
}
