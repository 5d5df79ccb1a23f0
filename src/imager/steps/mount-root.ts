import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isMissing } from "../../core/errors.ts";
import type { OpenRoot } from "../step.ts";
import type { StepContext } from "./context.ts";
import { hostProgram } from "./run.ts";
import { pathInRoot, realPathInRoot } from "./root-path.ts";

const devices = ["null", "zero", "full", "random", "urandom", "tty"];

export interface RootMount {
  readonly root: string;
  /** Topmost first; an empty folder where there is none. */
  readonly lower: readonly string[];
  readonly upper: string;
  /** overlayfs' own folder, on the file system of `upper`. */
  readonly overlayWork: string;
}

/**
 * Mounts the merged tree at `root`; `context.undo` takes it away.
 *
 * Its folders are named relative to the cache: mount(8) and overlayfs disagree, from version to version, on how
 * a comma, a colon or a backslash in a path is to be escaped, and layers' own names have none.
 *
 * `volatile`: a layer that was not published is thrown away, so that syncing it inside is wasted time;
 * publishing syncs.
 */
export async function mountRoot(mount: RootMount, context: StepContext): Promise<void> {
  for (const folder of [mount.root, mount.upper, mount.overlayWork])
    await mkdir(folder, { recursive: true, mode: 0o755 });
  const cache = dirname(context.scratch);
  const inCache = (path: string): string => relative(cache, path);
  const options = [
    `lowerdir=${mount.lower.map(inCache).join(":")}`,
    `upperdir=${inCache(mount.upper)}`,
    `workdir=${inCache(mount.overlayWork)}`,
    "userxattr",
    "volatile",
  ];
  await mountOn(mount.root, ["-t", "overlay", "-o", options.join(","), "overlay"], context, cache);
}

/** Gives the tree /proc, /dev, /run, /tmp and name servers, as programs of the image expect them. */
export async function openRoot({ root }: OpenRoot, context: StepContext): Promise<void> {
  for (const folder of ["proc", "dev", "run", "tmp", "sys"]) {
    await mkdir(await pathInRoot(root, `/${folder}`), { recursive: true });
  }
  await mountOn(join(root, "proc"), ["-t", "proc", "proc"], context);
  await mountOn(join(root, "run"), ["-t", "tmpfs", "-o", "mode=755,nosuid,nodev", "tmpfs"], context);
  await mountOn(join(root, "tmp"), ["-t", "tmpfs", "-o", "mode=1777,nosuid,nodev", "tmpfs"], context);
  await mountDevices(join(root, "dev"), context);
  await lendResolvConf(root, context);
}

async function mountDevices(dev: string, context: StepContext): Promise<void> {
  await mountOn(dev, ["-t", "tmpfs", "-o", "mode=755", "tmpfs"], context);
  for (const name of devices) {
    await writeFile(join(dev, name), "");
    await mountOn(join(dev, name), ["--bind", `/dev/${name}`], context);
  }
  for (const folder of ["pts", "shm"]) await mkdir(join(dev, folder));
  await mountOn(
    join(dev, "pts"),
    ["-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts"],
    context,
  );
  await symlink("pts/ptmx", join(dev, "ptmx"));
  await symlink("/proc/self/fd", join(dev, "fd"));
  for (const [number, name] of ["stdin", "stdout", "stderr"].entries()) {
    await symlink(`/proc/self/fd/${number}`, join(dev, name));
  }
}

/** Gives the chroot the host's name servers for as long as it is mounted. */
async function lendResolvConf(root: string, context: StepContext): Promise<void> {
  const servers = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const lent = join(context.scratch, `resolv.conf-${context.step}`);
  await writeFile(lent, servers, { mode: 0o644 });
  const place = await realPathInRoot(root, "/etc/resolv.conf");
  if (place.startsWith(join(root, "run/"))) {
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, servers);
    return;
  }
  if (!(await exists(place))) {
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, "");
    context.undo.defer(() => rm(place, { force: true }));
  }
  await mountOn(place, ["--bind", lent], context);
}

/** Mounts, and undoes it when the scope ends; a busy mount is detached, the namespace takes it along. */
export async function mountOn(
  place: string,
  argv: readonly string[],
  context: StepContext,
  cwd?: string,
): Promise<void> {
  await hostProgram(["mount", ...argv, place], cwd === undefined ? {} : { cwd }, context);
  context.undo.defer(async () => {
    await context.runner.run(
      ["umount", "--lazy", place],
      { env: context.environment },
      context.cleanUpSignal,
    );
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await readFile(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
