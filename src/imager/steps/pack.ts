import { mkdir, open, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import {
  blockBytes,
  diskLayout,
  mke2fsConf,
  rootGeometry,
  sectorBytes,
  sfdiskScript,
  treeSize,
} from "../formats/disk-layout.ts";
import type { DiskLayout, RootGeometry } from "../formats/disk-layout.ts";
import type { PackImage } from "../step.ts";
import type { StepContext } from "./context.ts";
import { mountOn } from "./mount-root.ts";
import { programFailure } from "./program-failure.ts";
import { hostProgram } from "./run.ts";
import { settleInodes } from "./settle-inodes.ts";

/**
 * Packs the tree into a disk image. The tree is read through a bind mount, which shows neither /proc
 * nor what else is mounted on it; the boot partition's files go to the FAT, and leave an empty folder behind.
 */
export async function packImage(step: PackImage, context: StepContext): Promise<void> {
  const tree = join(context.scratch, "pack-tree");
  const bare = join(context.scratch, "pack-empty");
  await mkdir(tree, { recursive: true });
  await mkdir(bare, { recursive: true, mode: 0o755 });
  if (step.settled !== undefined) await utimes(bare, step.settled.epochSeconds, step.settled.epochSeconds);
  await mountOn(tree, ["--bind", step.root], context);
  const bootFiles = join(context.scratch, "pack-boot");
  await mkdir(bootFiles, { recursive: true });
  await mountOn(bootFiles, ["--bind", join(tree, step.bootMount)], context);
  await mountOn(join(tree, step.bootMount), ["--bind", bare], context);
  const geometry = await measure(tree, step.marginBytes, context);
  const layout = diskLayout(step.bootBytes, geometry.bytes);
  await emptyImage(step.image, layout, context);
  await fillBoot(step.image, bootFiles, layout, context);
  await fillRoot(step.image, tree, layout, geometry, step.settled?.rootUuid ?? null, context);
  if (step.settled !== undefined)
    await settleInodes(step.image, layout.rootStartBytes, step.settled.epochSeconds, context);
}

async function measure(tree: string, marginBytes: number, context: StepContext): Promise<RootGeometry> {
  // not by hostProgram, which would tell every line
  const argv = ["find", tree, "-xdev", "-printf", "%D:%i %y %s %b\\n"];
  const result = await context.runner.run(argv, { env: context.environment }, context.signal);
  if (result.exitCode !== 0) throw programFailure(argv, result);
  return rootGeometry(treeSize(result.stdout.split("\n")), marginBytes);
}

async function emptyImage(image: string, layout: DiskLayout, context: StepContext): Promise<void> {
  await using file = await open(image, "w", 0o600);
  await file.truncate(layout.totalBytes);
  await hostProgram(
    ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", image],
    { stdin: sfdiskScript(layout) },
    context,
  );
}

async function fillBoot(
  image: string,
  bootFiles: string,
  layout: DiskLayout,
  context: StepContext,
): Promise<void> {
  const offset = `--offset=${layout.bootStartBytes / sectorBytes}`;
  // "BERRY" in front of nothing: patching gives every node a volume id of its own
  await hostProgram(
    [
      "mkfs.vfat",
      "-F",
      "32",
      "-n",
      "BOOT",
      "-i",
      "00000000",
      "--invariant",
      offset,
      image,
      String(layout.bootBytes / 1024),
    ],
    {},
    context,
  );
  const names = (await readdir(bootFiles)).sort().map((name) => join(bootFiles, name));
  if (names.length === 0)
    throw new BerryError("bad-data", "the boot partition would be empty: no kernel package put a file there");
  await mtools(
    ["mcopy", "-i", `${basename(image)}@@${layout.bootStartBytes}`, "-s", "-m", "-Q", ...names, "::/"],
    dirname(image),
    context,
  );
}

/** Names the image relative to `folder`: `@@` in its path would mean an offset. */
export async function mtools(argv: readonly string[], folder: string, context: StepContext): Promise<void> {
  await hostProgram(argv, { cwd: folder, env: { MTOOLS_SKIP_CHECK: "1", MTOOLSRC: "/dev/null" } }, context);
}

/**
 * libext2fs leaves what it zeroes, above all the journal, as blocks that are reserved and never written. Who writes an
 * image's mapped blocks alone would leave an earlier image's journal on the card, and a recovery could replay it.
 */
const truthfulHoles = { UNIX_IO_NOZEROOUT: "1" } as const;

async function fillRoot(
  image: string,
  tree: string,
  layout: DiskLayout,
  geometry: RootGeometry,
  /** What is derived from it too: the seeds of checksums and of folders' hashes; null: by chance. */
  uuid: string | null,
  context: StepContext,
): Promise<void> {
  const config = join(context.scratch, "mke2fs.conf");
  await writeFile(config, mke2fsConf);
  const argv = [
    "mke2fs",
    "-q",
    "-F",
    "-t",
    "ext4",
    "-b",
    String(blockBytes),
    "-L",
    "root",
    "-m",
    "1",
    "-N",
    String(geometry.inodes),
    "-J",
    `size=${geometry.journalMiB}`,
    ...(uuid === null ? [] : ["-U", uuid]),
    "-E",
    `offset=${layout.rootStartBytes},lazy_itable_init=1,nodiscard${uuid === null ? "" : `,hash_seed=${uuid}`}`,
    "-d",
    tree,
    image,
    String(layout.rootBytes / blockBytes),
  ];
  await hostProgram(argv, { env: { MKE2FS_CONFIG: config, ...truthfulHoles } }, context);
}

/** Length of a file and the bytes of it that are mapped. */
export async function imageSize(path: string): Promise<{ sizeBytes: number; mappedBytes: number }> {
  const { size, blocks } = await stat(path);
  return { sizeBytes: size, mappedBytes: Math.min(size, blocks * 512) };
}
