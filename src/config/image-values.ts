import { GiB, KiB, MiB } from "../core/units.ts";
import type { Check, Flaw } from "./problem.ts";

/** An absolute path inside the image, where a file may be put. */
export const checkImagePath: Check = (path) => {
  if (!path.startsWith("/"))
    return {
      problem: "not an absolute path",
      remedy: `start it with a slash: ${JSON.stringify(`/${path}`)}`,
    };
  if (/[\0-\x1f\x7f]/.test(path))
    return { problem: "a control character in a path", remedy: "use printable characters" };
  const parts = path.slice(1).split("/");
  if (parts.some((part) => part === ".." || part === "."))
    return { problem: "a path with . or .. in it", remedy: "write the path out" };
  if (parts.some((part) => part === ""))
    return {
      problem: "not the path of a file",
      remedy: "end it with the name of the file, without doubled slashes",
    };
  if (/^\/(proc|sys|dev|run|tmp)(\/|$)/.test(path)) {
    return {
      problem: "a folder that is empty again after every boot",
      remedy: "put the file somewhere else, such as /etc or /usr/local",
    };
  }
  return null;
};

/** Permission bits as chmod(1) takes them, in a string: TOML would read 0644 as no number and 644 as a decimal one. */
export function parseMode(value: unknown): number | Flaw {
  if (typeof value === "number") {
    const meant = String(value).replace(/^0*/, "0");
    const quoted = /^0[0-7]{3,4}$/.test(meant) ? meant : "0644";
    return { problem: "a mode must be a string", remedy: `quote it: mode = "${quoted}"` };
  }
  if (typeof value === "string" && /^[0-7]{3,4}$/.test(value)) return Number.parseInt(value, 8);
  return { problem: "not permission bits", remedy: 'use three or four octal digits, such as "0644"' };
}

const unitBytes: Readonly<Record<string, number>> = { K: KiB, M: MiB, G: GiB, T: 1024 * GiB };

/** A size in binary units: `256MiB`, `256M`, `1G`. */
export function parseSize(value: unknown): number | Flaw {
  const remedy = 'use a size such as "256MiB" or "1G"';
  if (typeof value === "number") return { problem: "a size without a unit", remedy };
  const parts = typeof value === "string" ? /^(\d{1,6}) ?([KMGT])(iB|B)?$/i.exec(value.trim()) : null;
  const unit = unitBytes[parts?.[2]?.toUpperCase() ?? ""];
  if (parts === null || unit === undefined) return { problem: "not a size", remedy };
  const size = Number(parts[1]) * unit;
  if (size < 16 * MiB || size > 1024 * GiB)
    return { problem: "an impossible size", remedy: "use something from 16MiB to 1T" };
  return size;
}

/** One word of the kernel's command line. */
export const checkKernelWord: Check = (word) => {
  if (word === "") return { problem: "an empty word", remedy: "leave it out" };
  if (/[^\x21-\x7e]/.test(word))
    return {
      problem: "not one word of the kernel's command line",
      remedy: "give every word a string of its own, in printable ASCII",
    };
  const [name] = word.split("=");
  if (name === "root" || name === "rootfstype")
    return { problem: "berry itself says where the root file system is", remedy: `leave ${name}= out` };
  return null;
};

/** One line of config.txt; the firmware reads 98 characters of it. */
export const checkConfigLine: Check = (line) => {
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(line))
    return { problem: "not one line of config.txt", remedy: "give every line a string of its own" };
  if (line.length > 98)
    return {
      problem: "too long for config.txt",
      found: `${line.length} characters`,
      remedy: "use at most 98 characters a line",
    };
  return null;
};

/** Where packages come from. `$arch` and `$repo` stand as pacman reads them. */
export const checkMirror: Check = (mirror) => {
  if (/^(https?|file):\/\/[!-~]+$/.test(mirror)) return null;
  return {
    problem: "not the address of a mirror",
    remedy: 'use one such as "http://mirror.archlinuxarm.org/$arch/$repo"',
  };
};

export const checkShell: Check = (shell) => {
  if (/^(\/[A-Za-z0-9._+-]+)+$/.test(shell) && !/\/\.\.?(\/|$)/.test(shell)) return null;
  return {
    problem: "not the path of a shell",
    remedy: 'use an absolute path in the image, such as "/bin/bash"',
  };
};
