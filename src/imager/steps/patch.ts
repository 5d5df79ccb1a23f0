import { lstat, open, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { diskLayout } from "../formats/disk-layout.ts";
import { debugfsScript } from "../formats/debugfs-script.ts";
import type { TreeChange } from "../formats/debugfs-script.ts";
import type { DiskIdentity, PatchImage } from "../step.ts";
import type { StepContext } from "./context.ts";
import { copyMapped } from "./copy-mapped.ts";
import { mtools } from "./pack.ts";
import { hostProgram } from "./run.ts";

/**
 * Copies the base image and writes the node's files and identity into the copy; no file system is mounted.
 * The image is named relative to its folder: `?` and `@@` in a path would mean an offset to the tools.
 */
export async function patchImage(step: PatchImage, context: StepContext): Promise<void> {
  await rm(step.image, { force: true });
  // what is a hole in the base nobody reads; more holes would leave blocks of an earlier image on the card
  await copyMapped(step.base, step.image, context.signal);
  const changes = await changesOf(step.upper, step.lower);
  const boot = changes.filter(({ path }) => isBelow(path, step.bootMount));
  const root = changes.filter(({ path }) => !isBelow(path, step.bootMount) && path !== step.bootMount);
  const layout = diskLayout(step.bootBytes, 0);
  await patchBoot(step, boot, layout.bootStartBytes, context);
  await setIdentity(step.image, step.identity, layout.bootStartBytes, layout.rootStartBytes, context);
  await patchRoot(step, root, layout.rootStartBytes, context);
}

async function patchBoot(
  step: PatchImage,
  changes: readonly TreeChange[],
  offset: number,
  context: StepContext,
): Promise<void> {
  const drive = `${basename(step.image)}@@${offset}`;
  const cwd = dirname(step.image);
  for (const change of changes) {
    const place = `::${change.path.slice(step.bootMount.length)}`;
    switch (change.kind) {
      case "file":
        await mtools(["mcopy", "-i", drive, "-o", "-m", "-Q", change.source, place], cwd, context);
        break;
      case "directory":
        if (!change.exists) await mtools(["mmd", "-i", drive, place], cwd, context);
        break;
      case "removed":
        await mtools(["mdel", "-i", drive, place], cwd, context);
        break;
      case "symlink":
        throw new BerryError(
          "config",
          `${change.path} is a symbolic link, which the FAT boot partition cannot hold`,
        );
    }
  }
}

/** debugfs(8) answers 0 whatever happens: anything on stderr but its version is a failure. */
async function patchRoot(
  step: PatchImage,
  changes: readonly TreeChange[],
  offset: number,
  context: StepContext,
): Promise<void> {
  const script = join(context.scratch, `debugfs-script-${context.step}`);
  await writeFile(script, debugfsScript(changes), { mode: 0o600 });
  const { stderr } = await hostProgram(
    ["debugfs", "-w", "-f", script, `${basename(step.image)}?offset=${offset}`],
    { cwd: dirname(step.image) },
    context,
  );
  const complaints = stderr.split("\n").filter((line) => line !== "" && !/^debugfs \d/.test(line));
  if (complaints.length > 0)
    throw new BerryError("software", `cannot write into the image: ${complaints.join("; ")}`);
}

async function setIdentity(
  image: string,
  identity: DiskIdentity,
  bootOffset: number,
  rootOffset: number,
  context: StepContext,
): Promise<void> {
  await hostProgram(
    [
      "sfdisk",
      "--quiet",
      "--no-reread",
      "--no-tell-kernel",
      "--disk-id",
      image,
      `0x${identity.diskSignature}`,
    ],
    {},
    context,
  );
  await hostProgram(
    ["tune2fs", "-U", identity.rootUuid, `${basename(image)}?offset=${rootOffset}`],
    { cwd: dirname(image) },
    context,
  );
  const volumeId = Uint8Array.from(Buffer.from(identity.bootVolumeId, "hex").reverse());
  await using file = await open(image, "r+");
  // BS_VolID of FAT32 lies at byte 67 of the boot sector, and of its copy in sector 6
  for (const sector of [0, 6]) await file.write(volumeId, 0, 4, bootOffset + sector * 512 + 67);
}

/** What the upper folder of an overlay changes in the tree below, parents before children. */
async function changesOf(upper: string, lower: readonly string[], folder = ""): Promise<TreeChange[]> {
  const changes: TreeChange[] = [];
  for (const name of (await readdir(join(upper, folder))).sort()) {
    const path = `${folder}/${name}`;
    const source = join(upper, path);
    const stats = await lstat(source);
    const owner = {
      mode: stats.mode & 0o7777,
      uid: stats.uid,
      gid: stats.gid,
      modifiedSeconds: Math.floor(stats.mtimeMs / 1000),
    };
    const exists = await existsIn(lower, path);
    if (stats.isDirectory()) {
      changes.push({ kind: "directory", path, exists, ...owner }, ...(await changesOf(upper, lower, path)));
    } else if (stats.isFile()) {
      changes.push({ kind: "file", path, exists, source, ...owner });
    } else if (stats.isSymbolicLink()) {
      changes.push({ kind: "symlink", path, exists, target: await readlink(source), ...owner });
    } else if (stats.isCharacterDevice() && stats.rdev === 0) {
      // overlayfs' whiteout
      if (exists) changes.push({ kind: "removed", path });
    } else {
      throw new BerryError("software", `${path} is of a kind that cannot be written into an image`);
    }
  }
  return changes;
}

async function existsIn(lower: readonly string[], path: string): Promise<boolean> {
  for (const tree of lower) {
    const stats = await lstat(join(tree, path)).catch(() => null);
    if (stats !== null) return !(stats.isCharacterDevice() && stats.rdev === 0);
  }
  return false;
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
