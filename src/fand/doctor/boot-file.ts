import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { stringsOf } from "../backends/device-tree-file.ts";
import { entriesOf, textOf } from "../sensors/find-sensor-file.ts";
import { parseConfigTxt } from "./config-txt.ts";
import type { BootFacts } from "./facts.ts";

export interface BootRoots {
  readonly deviceTree: string;
  readonly proc: string;
  /** Where the boot partition may be mounted, the likeliest first. */
  readonly boot: readonly string[];
}

/** Debian's raspi-firmware names it at the head of the config.txt that it makes, anew with every kernel. */
const customLines = "/etc/default/raspi-firmware-custom";

/** What the firmware was told, and what it had to work with. */
export function collectBoot(roots: BootRoots, model: string | null): BootFacts {
  const folder = roots.boot.find((one) => existsSync(join(one, "config.txt")));
  const has = (path: string) => existsSync(join(roots.deviceTree, path));
  return {
    configTxt: folder === undefined ? null : configTxt(folder, roots.proc, model),
    madeFrom:
      folder !== undefined && textOf(join(folder, "config.txt")).includes(customLines) ? customLines : null,
    overlays: folder === undefined ? null : overlaysIn(folder),
    hasSymbols: has("__symbols__"),
    hasCoolingFan: has("cooling_fan"),
    devices: devicesOf(roots.deviceTree),
    isUBoot: has("chosen/u-boot,version"),
  };
}

function devicesOf(root: string): readonly string[] {
  return [root, join(root, "soc")]
    .flatMap((folder) => entriesOf(folder).map((name) => join(folder, name)))
    .filter((node) => ["okay", "ok", undefined].includes(stringsOf(join(node, "status"))[0]))
    .flatMap((node) => stringsOf(join(node, "compatible")));
}

function configTxt(folder: string, proc: string, model: string | null): BootFacts["configTxt"] {
  const path = join(folder, "config.txt");
  const changed = Math.max(...filesOf(path, folder).map(secondsOf));
  const started = /^btime (\d+)$/m.exec(textOf(join(proc, "stat")))?.[1];
  return {
    path,
    lines: parseConfigTxt(included(path, folder, 4), model),
    // FAT counts in two seconds, and a clock without a battery is set late: only what is clear is said
    isNewerThanBoot: started === undefined || changed === 0 ? null : changed > Number(started),
  };
}

/** The file with what it includes, as far down as the firmware goes. */
function included(path: string, folder: string, depth: number): string {
  return textOf(path)
    .split("\n")
    .map((line) => {
      const name = /^\s*include\s+(\S+)\s*$/.exec(line)?.[1];
      if (name === undefined) return line;
      return depth === 0 || name.includes("..") ? "" : included(join(folder, name), folder, depth - 1);
    })
    .join("\n");
}

function filesOf(path: string, folder: string): readonly string[] {
  const names = [...textOf(path).matchAll(/^\s*include\s+(\S+)\s*$/gm)].map(([, name = ""]) => name);
  return [path, ...names.filter((name) => !name.includes("..")).map((name) => join(folder, name))];
}

function overlaysIn(folder: string): readonly string[] | null {
  const path = join(folder, "overlays");
  if (!existsSync(path)) return null;
  return entriesOf(path)
    .filter((name) => name.endsWith(".dtbo"))
    .map((name) => name.slice(0, -".dtbo".length));
}

function secondsOf(path: string): number {
  try {
    return Math.floor(statSync(path).mtimeMs / 1000);
  } catch {
    return 0;
  }
}
