import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { BerryError } from "../../../core/errors.ts";
import { commandLine } from "../../../imager/script/quote.ts";

/** A device that this user may not write to. */
export interface Denied {
  readonly path: string;
  /** Name of the group that owns it, or its number. */
  readonly group: string;
  /** The group may write to it. */
  readonly isForGroup: boolean;
}

/** Those of the devices that this user may not open for reading and writing. */
export async function deniedDevices(paths: readonly string[]): Promise<Denied[]> {
  const denied: Denied[] = [];
  for (const path of paths) {
    const isAllowed = await access(path, constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    );
    if (isAllowed) continue;
    const { gid, mode } = await stat(path);
    denied.push({ path, group: await groupName(gid), isForGroup: (mode & 0o060) === 0o060 });
  }
  return denied;
}

async function groupName(id: number): Promise<string> {
  const groups = await readFile("/etc/group", "utf8").catch(() => "");
  const entry = groups.split("\n").find((line) => line.split(":")[2] === String(id));
  return entry?.split(":")[0] ?? String(id);
}

/** @param argv the command line as it has to be typed, program and all, but for sudo */
export function permissionFailure(denied: readonly Denied[], argv: readonly string[]): BerryError {
  const paths = denied.map(({ path }) => path).join(" and ");
  const groups = [...new Set(denied.filter(({ isForGroup }) => isForGroup).map(({ group }) => group))];
  const whose =
    groups.length === 0 ? "root alone may" : `root may, and who is in the group ${groups.join(" and ")}`;
  return new BerryError("no-permission", `this user may not write to ${paths}: ${whose}`, {
    hint: `sudo ${commandLine(argv)}\n  (writing alone needs it: berry.toml and images are read with your own rights then, too)`,
  });
}
