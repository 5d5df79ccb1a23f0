import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BerryError, codeOf } from "../../core/errors.ts";
import { ownMark } from "./render-service.ts";

/** Where avahi-daemon looks, and looks again whenever something changes there. */
export const avahiFolder = "/etc/avahi/services";
const fileName = "berry.service";
const nextName = ".berry.service.next";

export interface Announced {
  readonly path: string;
  /** false: the file said so already, and was left alone, because avahi announces anew whatever is touched. */
  readonly isWritten: boolean;
  /** Files of berry's that nobody needs any more. */
  readonly removed: readonly string[];
  /** Files of others that announce this host as a node, too. */
  readonly rivals: readonly string[];
}

/**
 * Makes avahi announce what a service file says, and nothing else of berry's. The file is replaced in one step.
 * @throws BerryError `unavailable` without avahi; `cannot-create` where the file is somebody else's, or the file system
 * read-only; `no-permission`; `io`
 */
export function announce(folder: string, service: string): Announced {
  const path = join(folder, fileName);
  const names = attempt(folder, () => readdirSync(folder));
  if (names.includes(fileName)) refuseOdd(path);
  const present = names.includes(fileName) ? attempt(path, () => readFileSync(path, "utf8")) : null;
  if (present !== null && !present.includes(ownMark))
    throw new BerryError("cannot-create", `${path}: not written by berry, and therefore left as it is`, {
      hint: `rm ${path}, or let it announce the node: systemctl disable berry-announce.service`,
    });
  const isWritten = present !== service;
  if (isWritten) replace(folder, service);
  const others = names
    .filter((name) => name.endsWith(".service") && !name.startsWith(".") && name !== fileName)
    .map((name) => join(folder, name))
    .map((each) => ({ each, text: textOf(each) }))
    .filter(({ text }) => text.includes(ownMark) || text.includes("<type>_berry._tcp</type>"));
  const stale = others.filter(({ text }) => text.includes(ownMark)).map(({ each }) => each);
  const left = !isWritten && names.includes(nextName) ? [join(folder, nextName)] : [];
  const removed = [...stale, ...left];
  for (const each of removed) attempt(each, () => rmSync(each, { force: true }));
  return {
    path,
    isWritten,
    removed,
    rivals: others.map(({ each }) => each).filter((each) => !stale.includes(each)),
  };
}

/** A link is somebody's doing, such as one to /dev/null, which keeps the node silent. */
function refuseOdd(path: string): void {
  const entry = attempt(path, () => lstatSync(path));
  if (entry.isFile()) return;
  throw new BerryError(
    "cannot-create",
    `${path}: ${entry.isSymbolicLink() ? "a link" : "not a file"}, and therefore left as it is`,
    { hint: `ls -ld ${path}; remove it, and berry announces this machine` },
  );
}

/** A name that is taken is not written to, and no link is followed. */
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function replace(folder: string, text: string): void {
  const path = join(folder, fileName);
  const next = join(folder, nextName);
  attempt(path, () => {
    // what a kill left behind
    rmSync(next, { force: true });
    const file = openSync(next, newFile, 0o644);
    try {
      fchmodSync(file, 0o644);
      writeSync(file, text);
      // a power cut must not leave an empty file, which avahi would complain of until the next start
      fsyncSync(file);
    } catch (thrown) {
      rmSync(next, { force: true });
      throw thrown;
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  });
}

/** Empty for what cannot be read, such as a link that leads nowhere, or is no file, such as a pipe, which would be waited for. */
function textOf(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, "utf8") : "";
  } catch {
    return "";
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOTDIR")
      throw new BerryError("cannot-create", `${path}: not a folder, and avahi looks for services in it`, {
        cause,
        hint: `ls -ld ${path}; make it a folder`,
      });
    if (code === "ENOENT")
      throw new BerryError("unavailable", `${path}: not there: avahi is not installed`, {
        cause,
        hint: "apt-get install avahi-daemon, or pacman -S avahi",
      });
    if (code === "EACCES" || code === "EPERM")
      throw new BerryError("no-permission", `cannot write ${path}`, {
        cause,
        hint: "sudo berry probe announce",
      });
    if (code === "EROFS")
      throw new BerryError("cannot-create", `cannot write ${path}: the file system is read-only`, {
        cause,
        hint: "make it writable, or put there what berry probe announce --print prints",
      });
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new BerryError("cannot-create", `cannot write ${path}: no space left`, {
        cause,
        hint: `df ${dirname(path)} shows how full it is`,
      });
    throw new BerryError("io", `cannot write ${path}`, { cause, hint: `ls -l ${path}; df ${path}` });
  }
}
