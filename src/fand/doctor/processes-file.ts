import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { entriesOf } from "../sensors/find-sensor-file.ts";

/** What drives fans on Pis, or takes pins: by the name of the unit, which is that of the program for most of them. */
const rivals = [
  "argoneond",
  "argononed",
  "deskpi",
  "fan2go",
  "fancontrol",
  "pigpiod",
  "pimoroni-fanshim",
  "pironman5",
  "rpifand",
] as const;

/** The argument lists of all processes. @param proc `/proc` */
export function commandLines(proc: string): readonly (readonly string[])[] {
  return entriesOf(proc)
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => argumentsAt(join(proc, entry, "cmdline")))
    .filter((line) => line.length > 0);
}

/** Each once, by name. @param units names of active units, without their ending */
export function rivalsAmong(
  lines: readonly (readonly string[])[],
  units: readonly string[],
): readonly string[] {
  // a script is named by its interpreter's first argument
  const running = lines.flatMap((line) =>
    line.slice(0, 2).map((word) => basename(word).replace(/\.(?:py|sh)$/, "")),
  );
  return rivals.filter((name) => units.includes(name) || running.includes(name));
}

/** Where node_exporter looks for files of metrics; null: it does not run. */
export function exporterFolders(lines: readonly (readonly string[])[]): readonly string[] | null {
  const line = lines.find(([program = ""]) =>
    ["node_exporter", "prometheus-node-exporter"].includes(basename(program)),
  );
  if (line === undefined) return null;
  return line.flatMap((word, index) => {
    const match = /^--?collector\.textfile\.directory(?:=(.*))?$/.exec(word);
    const folder = match === null ? undefined : (match[1] ?? line[index + 1]);
    return folder === undefined ? [] : [folder.length > 1 ? folder.replace(/\/+$/, "") : folder];
  });
}

function argumentsAt(path: string): readonly string[] {
  try {
    return readFileSync(path, "latin1").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}
