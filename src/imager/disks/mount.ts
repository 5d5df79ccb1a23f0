import { BerryError } from "../../core/errors.ts";

/** A line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  /** Of the file system; `0:…` where it stands on no single device. */
  readonly majorMinor: string;
  /** The folder of the file system that is mounted. */
  readonly root: string;
  readonly at: string;
  readonly type: string;
  /** Such as `/dev/sda1`, `rpool/ROOT`, `overlay`. */
  readonly source: string;
  /** Of the file system, such as `lowerdir=…`. */
  readonly options: readonly string[];
}

/** In the order of mounting. @throws BerryError `os` for a line that is not understood: it might name a disk */
export function parseMounts(text: string): Mount[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ", 2);
      const [, , majorMinor = "", root = "", at] = before.split(" ");
      const [type = "", source = "", options = ""] = after.split(" ");
      if (at === undefined || type === "" || !/^\d+:\d+$/.test(majorMinor))
        throw new BerryError("os", `cannot understand this line of /proc/self/mountinfo: ${line}`);
      return {
        majorMinor,
        root: decodeOctal(root),
        at: decodeOctal(at),
        type,
        source: decodeOctal(source),
        options: options.split(",").map(decodeOctal),
      };
    });
}

/** A line of /proc/swaps (proc_swaps(5)). */
export interface Swap {
  readonly path: string;
  readonly isFile: boolean;
}

export function parseSwaps(text: string): Swap[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [path = "", type] = line.split(/\s+/);
      if (path === "") return [];
      return [{ path: decodeOctal(path).replace(/ \(deleted\)$/, ""), isFile: type === "file" }];
    });
}

/** The mount that shows at the path: the longest mount point above it, and of equal ones the last. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | null {
  let best: Mount | null = null;
  for (const mount of mounts) {
    const isAbove = mount.at === "/" || path === mount.at || path.startsWith(`${mount.at}/`);
    if (isAbove && (best === null || mount.at.length >= best.at.length)) best = mount;
  }
  return best;
}

/** The kernel's seq_path(): `\040` for a space, likewise tab, newline, backslash and `#`. */
function decodeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
