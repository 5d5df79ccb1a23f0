import { lstat, mkdir, open, rm, rmdir, symlink, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { elfMachine } from "../formats/elf.ts";
import type { HideProgram, NativeTools, ReturnTools } from "../package-step.ts";
import type { StepContext } from "./context.ts";
import { namesIn } from "./names-in.ts";
import { realPathInRoot } from "./root-path.ts";
import { hostProgram } from "./run.ts";
import { mountOn } from "./mount-root.ts";
import { mountPoints } from "./remove-tree.ts";

const heldBack = "/run/berry/held-back";

/**
 * Binds each program of `tools` over its namesake in the image, where the two differ in architecture.
 * One mount(8) does them all; one umount(8) takes them back.
 */
export async function nativeTools(step: NativeTools, context: StepContext): Promise<void> {
  const binds: (readonly [string, string])[] = [];
  for (const folder of [`usr/lib/${step.libraries}`, "usr/lib64"]) {
    const place = join(step.root, folder);
    if ((await namesIn(place)).length > 0) continue;
    await mkdir(place, { recursive: true });
    context.undo.defer(async () => await rmdir(place).catch(() => undefined));
    binds.push([join(step.tools, folder), place]);
  }
  await linkLoader(step.root, context);
  for (const folder of ["usr/bin", "usr/sbin"]) {
    for (const name of await namesIn(join(step.tools, folder))) {
      const native = join(step.tools, folder, name);
      const place = join(step.root, folder, name);
      if (!step.except.includes(name) && (await standsIn(native, place))) binds.push([native, place]);
    }
  }
  const table = join(context.scratch, `native-tools-${context.step}.fstab`);
  await writeFile(
    table,
    binds.map(([from, to]) => `${escaped(from)} ${escaped(to)} none bind,ro 0 0\n`).join(""),
  );
  const places = binds.map(([, place]) => place);
  // some of them may have been returned by then, which umount(8) tells and does not mind
  context.undo.defer(async () => {
    await context.runner.run(
      ["umount", "--lazy", ...places],
      { env: context.environment },
      context.cleanUpSignal,
    );
  });
  await hostProgram(["mount", "--all", "--fstab", table], {}, context);
}

/** The host's loader is named /lib64/…; a folder of that name would make packages doubt a merged /usr. */
async function linkLoader(root: string, context: StepContext): Promise<void> {
  const link = join(root, "lib64");
  if ((await lstat(link).catch(() => null)) !== null) return;
  await symlink("usr/lib64", link);
  context.undo.defer(async () => await unlink(link));
}

/** Both are plain files and programs, each of another architecture. */
async function standsIn(native: string, place: string): Promise<boolean> {
  for (const path of [native, place]) {
    const stats = await lstat(path).catch(() => null);
    if (stats === null || !stats.isFile()) return false;
  }
  const [from, to] = [await machineOf(native), await machineOf(place)];
  return from !== null && to !== null && from !== to;
}

async function machineOf(path: string): Promise<string | null> {
  await using file = await open(path, "r");
  const header = new Uint8Array(64);
  const { bytesRead } = await file.read(header, 0, 64, 0);
  return elfMachine(header.subarray(0, bytesRead));
}

/** What is lent is what mountinfo says is mounted there. */
export async function returnTools(step: ReturnTools, context: StepContext): Promise<void> {
  const folders = [join(step.root, "usr/bin"), join(step.root, "usr/sbin")];
  const places = (await mountPoints()).filter(
    (place) => folders.includes(dirname(place)) && !step.keep.includes(basename(place)),
  );
  if (places.length > 0) await hostProgram(["umount", "--lazy", ...places], {}, context);
  const lent = join(step.root, "usr/lib", step.libraries);
  const fewer = join(context.scratch, `libraries-${context.step}`);
  await hostProgram(["cp", "--archive", lent, fewer], {}, context);
  for (const name of await namesIn(fewer)) {
    if (step.withoutLibraries.some((beginning) => name.startsWith(beginning))) await rm(join(fewer, name));
  }
  await mountOn(lent, ["--bind", fewer], context);
}

/** Holds a program back: a call leaves a file of its name in /run/berry/held-back, and does nothing. */
export async function hideProgram(step: HideProgram, context: StepContext): Promise<void> {
  const place = await realPathInRoot(step.root, step.path);
  if (step.shown) {
    await hostProgram(["umount", place], {}, context);
    return;
  }
  const name = basename(step.path);
  const stub = join(context.scratch, `held-back-${name}`);
  await writeFile(stub, `#!/bin/sh\nmkdir -p ${heldBack}\n: >${heldBack}/${name}\n`, { mode: 0o755 });
  await mountOn(place, ["--bind", stub], context);
}

/** fstab(5): blanks and backslashes in octal. */
function escaped(path: string): string {
  return path.replace(/[\s\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
