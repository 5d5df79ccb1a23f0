import { expect, test } from "bun:test";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { collectDisks } from "../../../src/imager/disks/collect-disks.ts";
import { probeDisk } from "../../../src/imager/disks/collect-signatures.ts";
import { type Disk, systemRoots } from "../../../src/imager/disks/disk.ts";
import { judgeDisk } from "../../../src/imager/disks/verdict.ts";
import { commandRunner } from "../../../src/system/command-runner.ts";
import { attachLoop } from "../../fixtures/cards/block-devices.ts";
import { mustRun } from "../../fixtures/run.ts";

const { signal } = new AbortController();
const isRoot = process.getuid?.() === 0;

/** The loop device as it is after `prepare` has filled its file. */
async function probed(prepare: (file: string) => Promise<void>): Promise<Disk> {
  const folder = await mkdtemp(join(tmpdir(), "berry-signatures-"));
  try {
    const file = join(folder, "card.img");
    await writeFile(file, "");
    await truncate(file, 300 * 1024 ** 2);
    await prepare(file);
    await using loop = await attachLoop(file);
    const disk = (await collectDisks(systemRoots, [], signal)).find(({ path }) => path === loop.device);
    if (disk === undefined) throw new Error(`${loop.device} is not among the disks`);
    // as where no udev has looked
    return await probeDisk({ ...disk, uses: [], contents: [] }, commandRunner, signal);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Puts bytes where a tool would have put them: the tools of LVM, md and LUKS need not be installed. */
function mark(offset: number, bytes: string | Uint8Array) {
  return async (file: string): Promise<void> => {
    const source = `${file}.mark`;
    await writeFile(source, bytes);
    await mustRun(["dd", `if=${source}`, `of=${file}`, "bs=1", `seek=${offset}`, "conv=notrunc"], {}, signal);
    await rm(source);
  };
}

function luksHeader(): Uint8Array {
  const header = new Uint8Array(592);
  header.set(new TextEncoder().encode("LUKS\u00ba\u00be").slice(0, 4));
  header.set([0xba, 0xbe, 0, 1], 4);
  header.set(new TextEncoder().encode("2b7bb6ea-8f6a-4c60-8d4c-8c1e1f3b6c11"), 168);
  return header;
}

test.skipIf(!isRoot)("what an idle disk belongs to is found where udev has not looked", async () => {
  const btrfs = async (file: string) => void (await mustRun(["mkfs.btrfs", "--quiet", file], {}, signal));
  expect((await probed(btrfs)).uses).toMatchObject([{ use: "member", of: "btrfs" }]);
  expect((await probed(mark(0, luksHeader()))).uses).toMatchObject([{ use: "member", of: "crypto_LUKS" }]);
});

test.skipIf(!isRoot)("a partition is looked at as well, though the kernel shows none", async () => {
  const disk = await probed(async (file) => {
    const inner = `${file}.partition`;
    await writeFile(inner, "");
    await truncate(inner, 200 * 1024 ** 2);
    await mustRun(["mkfs.btrfs", "--quiet", inner], {}, signal);
    await mustRun(["sfdisk", "--quiet", file], { stdin: "label: gpt\nstart=8192, size=409600\n" }, signal);
    await mustRun(["dd", `if=${inner}`, `of=${file}`, "bs=1M", "seek=4", "conv=notrunc"], {}, signal);
    await rm(inner);
  });
  expect(judgeDisk(disk, { minimumBytes: null })).toMatchObject({
    verdict: "refused",
    reasons: [{ reason: `${disk.name} holds a btrfs, which may span other disks` }],
  });
});

test.skipIf(!isRoot)("an ordinary card belongs to nothing", async () => {
  const disk = await probed(async (file) => {
    await mustRun(["sfdisk", "--quiet", file], { stdin: "start=8192, size=100000, type=c\n" }, signal);
    await mustRun(["mkfs.vfat", "--offset=8192", "-n", "HOLIDAY", file, "50000"], {}, signal);
  });
  expect(disk.uses).toEqual([]);
  expect(disk.contents).toMatchObject([{ type: "dos" }, { type: "vfat", label: "HOLIDAY" }]);
  expect(basename(disk.path)).toMatch(/^loop\d+$/);
  expect(judgeDisk(disk, { minimumBytes: null }).verdict).toBe("confirm");
});
