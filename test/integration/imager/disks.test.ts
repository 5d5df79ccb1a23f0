import { expect, test } from "bun:test";
import { link, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { resolveTarget } from "../../../src/imager/disks/choose-disk.ts";
import { collectDisks } from "../../../src/imager/disks/collect-disks.ts";
import { collectKeepPaths } from "../../../src/imager/disks/collect-keep-paths.ts";
import { lookAtTarget } from "../../../src/imager/disks/collect-target.ts";
import { systemRoots, type Verdict } from "../../../src/imager/disks/disk.ts";
import { judgeDisk } from "../../../src/imager/disks/verdict.ts";
import { ordinaryUser } from "../../fixtures/ordinary-user.ts";
import { mustRun } from "../../fixtures/run.ts";

const { signal } = new AbortController();
const isRoot = process.getuid?.() === 0;
const minimumBytes = 1024 ** 2;

/** Another loop device, over a file or a loop device of these tests. */
async function attachTo(path: string, ...options: readonly string[]) {
  const device = (await mustRun(["losetup", "--find", "--show", ...options, path], {}, signal)).trim();
  const release = async () => {
    await mustRun(["losetup", "--detach", device], {}, signal);
  };
  return { device, name: device.slice("/dev/".length), [Symbol.asyncDispose]: release };
}

/** The device is mounted in the folder while it is judged. */
async function whileMounted(device: string, at: string, judged: () => Promise<void>): Promise<void> {
  await mkdir(at, { recursive: true });
  await mustRun(["mount", device, at], {}, signal);
  try {
    await judged();
  } finally {
    await mustRun(["umount", at], {}, signal);
  }
}

/** A loop device over a file of its own. */
async function attach(name: string) {
  const folder = await mkdtemp(join(tmpdir(), "berry-loop-"));
  const file = join(folder, name);
  await writeFile(file, "");
  await truncate(file, 64 * 1024 ** 2);
  const device = (await mustRun(["losetup", "--find", "--show", file], {}, signal)).trim();
  const release = async () => {
    await mustRun(["losetup", "--detach", device], {}, signal);
    await rm(folder, { recursive: true });
  };
  return { folder, file, device, [Symbol.asyncDispose]: release };
}

async function judge(device: string, keep: readonly string[] = []): Promise<Verdict> {
  const disks = await collectDisks(systemRoots, await collectKeepPaths(keep));
  const { disk } = resolveTarget(await lookAtTarget(device), disks);
  return judgeDisk(disk, { minimumBytes });
}

function reasonsOf(verdict: Verdict): string {
  return verdict.verdict === "refused"
    ? verdict.reasons.map(({ reason }) => reason).join("; ")
    : verdict.verdict;
}

test.skipIf(!isRoot)(
  "a loop device is to be confirmed, and refused while it is mounted or used as swap",
  async () => {
    await using loop = await attach("my card.img");
    const name = loop.device.slice("/dev/".length);
    expect(await judge(loop.device)).toMatchObject({
      verdict: "confirm",
      reason: expect.stringContaining(`${name} is a file: ${loop.file}`),
    });
    const disks = await collectDisks(systemRoots, await collectKeepPaths([]));
    const own = disks.find(({ path }) => path === loop.device);
    expect(own).toMatchObject({
      kind: "loop",
      bus: "loop",
      model: loop.file,
      uses: [],
      logicalSectorBytes: 512,
    });
    expect(own?.identity.sizeBytes).toBe(64 * 1024 ** 2);

    await mustRun(["mkfs.ext4", "-q", loop.device], {}, signal);
    const at = join(loop.folder, "a place");
    await mkdir(at);
    await mustRun(["mount", loop.device, at], {}, signal);
    try {
      expect(reasonsOf(await judge(loop.device))).toBe(`${name} is mounted at ${at}`);
      // an image in it, whether it is there yet or not
      const image = join(at, "images/pi1.img");
      expect(reasonsOf(await judge(loop.device, [image]))).toContain(`${name} holds ${image}`);
    } finally {
      await mustRun(["umount", at], {}, signal);
    }
    expect((await judge(loop.device)).verdict).toBe("confirm");

    await mustRun(["mkswap", "--quiet", loop.device], {}, signal);
    await mustRun(["swapon", loop.device], {}, signal);
    try {
      expect(reasonsOf(await judge(loop.device))).toBe(`${name} is swap`);
    } finally {
      await mustRun(["swapoff", loop.device], {}, signal);
    }
    expect((await judge(loop.device)).verdict).toBe("confirm");
  },
);

test.skipIf(!isRoot)("a loop device over the image itself is refused", async () => {
  await using loop = await attach("pi1.img");
  expect(reasonsOf(await judge(loop.device, [loop.file]))).toContain(`holds ${loop.file}`);
});

test.skipIf(!isRoot)("a loop device over the image under another name is refused", async () => {
  await using loop = await attach("pi1.img");
  const alias = join(loop.folder, "alias.img");
  await link(loop.file, alias);
  expect(reasonsOf(await judge(loop.device))).toBe("confirm");
  expect(reasonsOf(await judge(loop.device, [alias]))).toContain(`holds ${alias}`);
});

test.skipIf(!isRoot)("a loop device over another is followed, whichever of the two is mounted", async () => {
  await using lower = await attach("lower");
  const name = lower.device.slice("/dev/".length);
  const at = join(lower.folder, "mnt");
  const node = join(lower.folder, "node");
  await mustRun(["mkfs.ext4", "-q", lower.device], {}, signal);
  const numbers = await mustRun(["stat", "--format", "%Hr %Lr", lower.device], {}, signal);
  await mustRun(["mknod", node, "b", ...numbers.trim().split(" ")], {}, signal);
  for (const path of [lower.device, node]) {
    await using upper = await attachTo(path);
    const held = `${name} is used by ${upper.name}, a loop device over ${path}`;
    expect(reasonsOf(await judge(lower.device))).toBe(held);
    expect(reasonsOf(await judge(upper.device))).toContain(`${upper.name} is made of other devices`);
    await whileMounted(upper.device, at, async () => {
      expect(reasonsOf(await judge(lower.device))).toBe(`${upper.name} is mounted at ${at}; ${held}`);
    });
    await whileMounted(lower.device, at, async () => {
      expect(reasonsOf(await judge(upper.device))).toContain(`${upper.name} is made of other devices`);
      expect(reasonsOf(await judge(lower.device))).toContain(`${name} is mounted at ${at}`);
    });
  }
  await using upper = await attachTo(lower.device, "--offset", "1048576");
  expect(reasonsOf(await judge(lower.device))).toContain(`${name} is used by ${upper.name}`);
});

test.skipIf(!isRoot)(
  "of loop devices over one file, by whatever name and offset, both are refused",
  async () => {
    await using one = await attach("card.img");
    const name = one.device.slice("/dev/".length);
    const at = join(one.folder, "mnt");
    const alias = join(one.folder, "alias.img");
    await link(one.file, alias);
    await mustRun(["mkfs.ext4", "-q", one.device], {}, signal);
    for (const path of [one.file, alias]) {
      await using other = await attachTo(path);
      expect(reasonsOf(await judge(one.device))).toContain(`${name} is used by ${other.name}, a loop device`);
      expect(reasonsOf(await judge(other.device))).toContain(
        `${other.name} is used by ${name}, a loop device`,
      );
      for (const [mountedOne, judgedOne] of [
        [one.device, other.device],
        [other.device, one.device],
      ] as const)
        await whileMounted(mountedOne, at, async () => {
          const mounted = `${mountedOne.slice("/dev/".length)} is mounted at ${at}`;
          expect(reasonsOf(await judge(judgedOne))).toContain(mounted);
        });
    }
    await using other = await attachTo(alias, "--offset", "1048576");
    expect(reasonsOf(await judge(one.device))).toContain(`${name} is used by ${other.name}`);
  },
);

test.skipIf(!isRoot)("every disk of a btrfs is refused, though one alone is said to be mounted", async () => {
  await using one = await attach("one");
  await using two = await attach("two");
  // 64 MiB are enough for a mirror of small chunks
  await mustRun(["truncate", "--size", "256M", one.file, two.file], {}, signal);
  for (const { device } of [one, two]) await mustRun(["losetup", "--set-capacity", device], {}, signal);
  await mustRun(["mkfs.btrfs", "--quiet", "--force", one.device, two.device], {}, signal);
  const at = join(one.folder, "mnt");
  await mkdir(at);
  await mustRun(["mount", one.device, at], {}, signal);
  try {
    for (const { device } of [one, two])
      expect(reasonsOf(await judge(device))).toContain(`${device.slice("/dev/".length)} is mounted at ${at}`);
  } finally {
    await mustRun(["umount", at], {}, signal);
  }
});

test("the disk that holds / is refused, and no disk of this machine is taken for a card while it is in use", async () => {
  const disks = await collectDisks(systemRoots, await collectKeepPaths([]));
  for (const disk of disks) {
    if (disk.uses.length > 0) expect(judgeDisk(disk, { minimumBytes }).verdict).toBe("refused");
  }
  const root = disks.filter(({ uses }) => uses.some((use) => use.use === "holds" && use.path === "/"));
  // a container's / lies on no disk that it can see
  if (root.length === 0) expect(disks.every(({ doubts }) => doubts.length > 0)).toBe(true);
});

test("a user without rights is told of every disk", async () => {
  const user = await ordinaryUser(signal);
  const program = resolve(import.meta.dir, "../../../src/main.ts");
  const listing = async (argv: readonly string[]) =>
    (JSON.parse((await user.run(argv, {}, signal)).stdout) as { name: string; verdict: string }[]).map(
      ({ name }) => name,
    );
  const own = (await collectDisks(systemRoots, await collectKeepPaths([]))).map(({ name }) => name);
  const told = await listing([process.execPath, program, "imager", "devices", "--json"]);
  const isSteady = (name: string): boolean => !name.startsWith("loop");
  expect(told.filter(isSteady).toSorted()).toEqual(own.filter(isSteady).toSorted());
});
