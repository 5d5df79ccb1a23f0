import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, open, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderBmap } from "../../../../src/imager/source/bmap.ts";
import { openImage } from "../../../../src/imager/source/open-image.ts";
import { lengthOf, type ImageMap } from "../../../../src/imager/source/image-map.ts";
import { planWrite } from "../../../../src/imager/write/pieces.ts";
import { collectDisks } from "../../../../src/imager/disks/collect-disks.ts";
import { systemRoots } from "../../../../src/imager/disks/disk.ts";
import type { CardTask } from "../../../../src/imager/write/card-task.ts";
import type { WriteEvent } from "../../../../src/imager/write/write-event.ts";
import { makeCardImage } from "../../../fixtures/cards/card-image.ts";
import { attachLoop } from "../../../fixtures/cards/block-devices.ts";
import { openFaultyCard } from "../../../fixtures/cards/faulty-card.ts";
import {
  berryArgv,
  eventsOf,
  isFilledWith,
  partDigest,
  readPart,
  runWrite,
  startWrite,
} from "../../../fixtures/cards/write-run.ts";
import { ordinaryUser } from "../../../fixtures/ordinary-user.ts";
import { mustRun } from "../../../fixtures/run.ts";

const mib = 1 << 20;
const cardBytes = 116 * mib;
const never = new AbortController().signal;

let folder = "";
let image = "";
let map: ImageMap;

beforeAll(async () => {
  folder = await mkdtemp("/var/tmp/berry-write-");
  const shape = {
    sizeBytes: 96 * mib,
    bootFileBytes: 4 * mib,
    rootFileBytes: 36 * mib,
    blockBytes: 4096,
  } as const;
  image = await makeCardImage(folder, "pi1", shape, never);
  await using opened = await openImage(image, { bmap: null }, never);
  map = opened.map;
});

afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Every mapped byte of the card is the image's, every zero of a file system a zero, every cleared place too. */
async function expectWhole(memory: string): Promise<void> {
  for (const { offsetBytes, lengthBytes } of map.data) {
    expect(await partDigest(memory, offsetBytes, lengthBytes)).toBe(
      await partDigest(image, offsetBytes, lengthBytes),
    );
  }
  const { probes } = planWrite(map, { sizeBytes: cardBytes, sectorBytes: 512 }, 4 * mib);
  for (const { offsetBytes, lengthBytes } of [...map.zeros, ...probes])
    expect(await isFilledWith(memory, 0, offsetBytes, lengthBytes)).toBe(true);
}

const mappedBytes = (): number => lengthOf(map.data) + lengthOf(map.zeros);
const isBlank = async (memory: string): Promise<boolean> => await isFilledWith(memory, 0, 0, mib);

test("a card full of something else has the image afterwards, and nothing else was written to it", async () => {
  await using card = await openFaultyCard({ sizeBytes: cardBytes });
  const { exitCode, events } = await runWrite([image, card.device, "--yes-really", card.file], {
    cwd: folder,
  });
  expect(eventsOf(events, "failed")).toEqual([]);
  expect(exitCode).toBe(0);
  expect(events.at(-1)).toMatchObject({ event: "finished", written: 1, failed: 0 });
  await expectWhole(card.memory);
  const { writtenBytes } = await card.counts();
  const { probes } = planWrite(map, { sizeBytes: cardBytes, sectorBytes: 512 }, 4 * mib);
  // the card is full of garbage: what is cleared counts whole, and the head is cleared once more
  expect(writtenBytes).toBeLessThanOrEqual(mappedBytes() * 1.02 + lengthOf(probes));
  expect(await isFilledWith(card.memory, 0xa5, cardBytes - 20 * mib, mib)).toBe(true);
});

test("four cards are written at once, each by a process of its own", async () => {
  await using one = await openFaultyCard({ sizeBytes: cardBytes });
  await using two = await openFaultyCard({ sizeBytes: cardBytes });
  await using three = await openFaultyCard({ sizeBytes: cardBytes });
  await using four = await openFaultyCard({ sizeBytes: cardBytes });
  const cards = [one, two, three, four];
  const words = [...cards.flatMap(({ device }) => [image, device]), "--yes-really"];
  const { exitCode, events } = await runWrite([...words, cards.map(({ file }) => file).join(",")], {
    cwd: folder,
  });
  expect(exitCode).toBe(0);
  expect(events.at(-1)).toMatchObject({ written: 4, failed: 0 });
  const order = events
    .filter(({ event }) => event === "card" || event === "verified")
    .map(({ event }) => event);
  expect(order.slice(0, 4)).toEqual(["card", "card", "card", "card"]);
  for (const { memory } of cards) await expectWhole(memory);
});

test("a disk that is mounted is refused before anything is written", async () => {
  const file = join(folder, "mounted.card");
  await writeFile(file, "");
  await truncate(file, 32 * mib);
  await mustRun(["mke2fs", "-q", "-F", "-t", "ext4", file], {}, never);
  await using loop = await attachLoop(file);
  const at = join(folder, "mounted");
  await mkdir(at);
  await mustRun(["mount", loop.device, at], {}, never);
  await mustRun(["sync"], {}, never);
  const before = await partDigest(file, 0, 32 * mib);
  try {
    const { exitCode, events } = await runWrite([image, loop.device, "--yes-really", file], { cwd: folder });
    expect(exitCode).toBe(64);
    expect(JSON.stringify(events)).toContain(at);
    expect(await partDigest(file, 0, 32 * mib)).toBe(before);
  } finally {
    await mustRun(["umount", at], {}, never);
  }
});

/** Runs the process of one card with a task, as `berry imager write` does. */
async function runCard(task: CardTask): Promise<WriteEvent[]> {
  await using opened = await openImage(image, { bmap: null }, never);
  const child = Bun.spawn([...berryArgv, "imager", "write-card"], {
    stdio: ["pipe", "pipe", "inherit", opened.fileDescriptor],
  });
  const whole = { order: "available", bytes: task.map.sizeBytes };
  void child.stdin.write(`${JSON.stringify(task)}\n${JSON.stringify(whole)}\n`);
  void child.stdin.flush();
  const text = await new Response(child.stdout).text();
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as WriteEvent);
}

async function taskFor(device: string): Promise<CardTask> {
  const disk = (await collectDisks(systemRoots, [], never)).find(({ path }) => path === device);
  if (disk === undefined) throw new Error(`no ${device}`);
  return {
    device,
    identity: disk.identity,
    sectorBytes: 512,
    isConfirmed: true,
    keep: [],
    image,
    map,
    stamp: null,
    resume: false,
  };
}

test("another medium in the same place, after the disk was judged, is noticed once it is open", async () => {
  const files = [join(folder, "before.card"), join(folder, "after.card")];
  for (const file of files) {
    await writeFile(file, "");
    await truncate(file, cardBytes);
  }
  const [before = "", after = ""] = files;
  let task: CardTask;
  {
    await using loop = await attachLoop(before);
    task = await taskFor(loop.device);
  }
  await mustRun(["losetup", "--direct-io=on", task.device, after], {}, never);
  try {
    const events = await runCard(task);
    expect(events).toEqual([expect.objectContaining({ event: "failed", kind: "temporary" })]);
    expect(JSON.stringify(events)).toContain("not what it was a moment ago");
    expect(await isFilledWith(after, 0, 0, cardBytes)).toBe(true);
  } finally {
    await mustRun(["losetup", "--detach", task.device], {}, never);
  }
});

test("after kill -9 in the middle the card has no partition table, and --resume writes what was missing", async () => {
  await using card = await openFaultyCard({ sizeBytes: cardBytes, bytesPerSecond: 40 * mib });
  const words = [image, card.device, "--yes-really", card.file];
  const run = startWrite(words, { cwd: folder });
  for await (const event of run.events) {
    if (event.event === "progress" && event.phase === "writing" && event.doneBytes > 20 * mib)
      run.kill("SIGKILL");
  }
  await run.exited;
  await released(card.device);
  expect(await isBlank(card.memory)).toBe(true);
  const { writtenBytes: first } = await card.counts();
  expect(first).toBeLessThan(mappedBytes());

  const { exitCode, events } = await runWrite([...words, "--resume"], { cwd: folder });
  expect(exitCode).toBe(0);
  await expectWhole(card.memory);
  const [verified] = eventsOf(events, "verified");
  expect(verified?.keptBytes).toBeGreaterThanOrEqual(16 * mib);
  const { writtenBytes: both } = await card.counts();
  expect(both - first).toBeLessThan(mappedBytes() - 16 * mib);
  // what had to be written makes everything be read back
  expect(verified?.verifiedBytes).toBeGreaterThanOrEqual(mappedBytes());

  const again = await runWrite([...words, "--resume"], { cwd: folder });
  expect(eventsOf(again.events, "verified")).toEqual([
    expect.objectContaining({ writtenBytes: 0, keptBytes: mappedBytes() }),
  ]);
  expect((await card.counts()).writtenBytes).toBe(both);
});

/** Resolves when nobody has the device open exclusively. */
async function released(device: string): Promise<void> {
  await mustRun(["flock", "--exclusive", device, "true"], {}, never);
}

test("Ctrl-C stops a card after the write in flight, names it and the command that goes on", async () => {
  await using card = await openFaultyCard({ sizeBytes: cardBytes, bytesPerSecond: 40 * mib });
  const run = startWrite([image, card.device, "--yes-really", card.file], { cwd: folder });
  const events: WriteEvent[] = [];
  let isStopped = false;
  for await (const event of run.events) {
    events.push(event);
    if (isStopped || event.event !== "progress" || event.doneBytes < 20 * mib) continue;
    isStopped = true;
    run.kill("SIGINT");
  }
  expect(await run.exited).toBe(130);
  expect(await isBlank(card.memory)).toBe(true);
  const [ofCard, ofAll] = eventsOf(events, "failed");
  expect(ofCard).toMatchObject({ device: card.device, kind: "interrupted" });
  expect(ofAll?.message).toBe(`interrupted: ${card.device} is not finished`);
  expect(ofAll?.hint).toEndWith(
    `imager write --json ${image} ${card.device} --yes-really ${card.file} --resume`,
  );
});

test("an ordinary user hears who may, and the sudo line; nothing is opened", async () => {
  const user = await ordinaryUser(never);
  await using home = await user.makeFolder();
  await using card = await openFaultyCard({ sizeBytes: cardBytes });
  await chmod(folder, 0o755);
  const words = ["imager", "write", image, card.device, "--yes-really", card.file];
  const { exitCode, stderr } = await user.run([...berryArgv, ...words], { cwd: home.path }, never);
  expect(stderr).toContain(`this user may not write to ${card.device}`);
  expect(stderr).toContain(`hint: sudo ${[...berryArgv, ...words].join(" ")}`);
  expect(exitCode).toBe(77);
  expect((await card.counts()).writtenBytes).toBe(0);
});

test("under sudo an image is read with the rights of the user who called it", async () => {
  const user = await ordinaryUser(never);
  await using card = await openFaultyCard({ sizeBytes: cardBytes });
  const secret = join(folder, "secret.img");
  await mustRun(["cp", "--sparse=always", image, secret], {}, never);
  await chmod(secret, 0o600);
  await chmod(folder, 0o755);
  const env = { SUDO_UID: String(user.userId), SUDO_GID: String(user.groupId), SUDO_USER: user.name };
  const words = [secret, card.device, "--yes-really", card.file];
  const refused = await runWrite(words, { cwd: folder, env });
  expect(refused.events).toEqual([expect.objectContaining({ event: "failed" })]);
  expect(JSON.stringify(refused.events)).toContain(`cannot read the image ${secret}`);
  expect((await card.counts()).writtenBytes).toBe(0);
  await chown(secret, user.userId, user.groupId);
  expect((await runWrite(words, { cwd: folder, env })).exitCode).toBe(0);
  await expectWhole(card.memory);
});

test("an image that is still being unpacked is written to two cards at once", async () => {
  const packed = join(folder, "packed.img.zst");
  await mustRun(["zstd", "-q", "-1", image, "-o", packed], {}, never);
  await using one = await openFaultyCard({ sizeBytes: cardBytes });
  await using two = await openFaultyCard({ sizeBytes: cardBytes });
  const { exitCode, events } = await runWrite(
    [packed, one.device, packed, two.device, "--yes-really", `${one.file},${two.file}`],
    { cwd: folder },
  );
  expect(eventsOf(events, "failed")).toEqual([]);
  expect(exitCode).toBe(0);
  for (const { memory } of [one, two])
    expect(await partDigest(memory, 0, map.sizeBytes)).toBe(await partDigest(image, 0, map.sizeBytes));
});

test("a damaged download never makes a card that looks whole", async () => {
  const packed = join(folder, "damaged.img.zst");
  await mustRun(["zstd", "-q", "-1", image, "-o", packed], {}, never);
  const bytes = Buffer.from(await Bun.file(packed).arrayBuffer());
  bytes.fill(0x55, Math.floor(bytes.length * 0.7), Math.floor(bytes.length * 0.7) + 64);
  await writeFile(packed, bytes);
  await using card = await openFaultyCard({ sizeBytes: cardBytes });
  const { exitCode, events } = await runWrite([packed, card.device, "--yes-really", card.file], {
    cwd: folder,
  });
  expect(exitCode).toBe(65);
  expect(eventsOf(events, "failed")[0]).toMatchObject({ kind: "bad-data" });
  expect((await readPart(card.memory, 0, 512)).subarray(510).toString("hex")).not.toBe("55aa");
});

test("an image that is not what its .bmap promises never makes a card that looks whole", async () => {
  const copy = join(folder, "promised.img");
  await mustRun(["cp", "--sparse=always", image, copy], {}, never);
  const ranges = await Promise.all(
    map.data.map(async ({ offsetBytes, lengthBytes }) => {
      const checksum = await partDigest(image, offsetBytes, lengthBytes);
      return { offsetBytes, lengthBytes, checksum };
    }),
  );
  await writeFile(`${copy}.bmap`, renderBmap({ sizeBytes: map.sizeBytes, blockBytes: 4096, ranges }));
  await using card = await openFaultyCard({ sizeBytes: cardBytes });
  const words = [copy, card.device, "--yes-really", card.file, "--bmap", `${copy}.bmap`];
  expect((await runWrite(words, { cwd: folder })).exitCode).toBe(0);
  const last = ranges.at(-1);
  if (last === undefined) throw new Error("an empty image");
  await changeByte(copy, last.offsetBytes + last.lengthBytes - 1);
  const { exitCode, events } = await runWrite(words, { cwd: folder });
  expect(exitCode).toBe(65);
  const [failed] = eventsOf(events, "failed");
  expect(failed?.message).toContain(`bytes ${last.offsetBytes} to ${last.offsetBytes + last.lengthBytes}`);
  expect(await isBlank(card.memory)).toBe(true);
});

async function changeByte(file: string, offsetBytes: number): Promise<void> {
  const handle = await open(file, "r+");
  const byte = (await readPart(file, offsetBytes, 1))[0] ?? 0;
  await handle.write(Uint8Array.of(byte ^ 1), 0, 1, offsetBytes);
  await handle.close();
}

test("an image that is changed while it is written never makes a card that looks whole", async () => {
  const copy = join(folder, "changing.img");
  await mustRun(["cp", "--sparse=always", image, copy], {}, never);
  await using card = await openFaultyCard({ sizeBytes: cardBytes, bytesPerSecond: 60 * mib });
  const run = startWrite([copy, card.device, "--yes-really", card.file], { cwd: folder });
  const events: WriteEvent[] = [];
  for await (const event of run.events) {
    events.push(event);
    const isUnderWay = event.event === "progress" && event.phase === "writing" && event.doneBytes > 8 * mib;
    if (isUnderWay) await utimes(copy, new Date(), new Date());
  }
  expect(await run.exited).toBe(65);
  expect(eventsOf(events, "failed")[0]?.message).toBe(`${copy} was changed while it was written to a card`);
  expect(await isBlank(card.memory)).toBe(true);
});

test("everything that speaks against it is told at once, and nothing is opened", async () => {
  await using card = await openFaultyCard({ sizeBytes: cardBytes });
  const words = [
    image,
    card.device,
    image,
    "/dev/nothing-of-this-name",
    image,
    card.device,
    "./missing.img",
    "/",
  ];
  const { exitCode, events } = await runWrite(words, { cwd: folder });
  expect(exitCode).toBe(66);
  const text = JSON.stringify(events);
  expect(text).toContain(`cannot find the image ${join(folder, "missing.img")}`);
  expect(text).toContain("there is no disk /dev/nothing-of-this-name");
  expect(text).toContain("are the same disk");
  expect(text).toContain("/ is a folder, not a disk");
  expect(text).toContain("is not a removable card");
  expect((await card.counts()).writtenBytes).toBe(0);
});

test("an image that is larger than the card is refused with both figures", async () => {
  await using card = await openFaultyCard({ sizeBytes: 64 * mib });
  const { exitCode, events } = await runWrite([image, card.device, "--yes-really", card.file], {
    cwd: folder,
  });
  expect(exitCode).toBe(64);
  expect(JSON.stringify(events)).toMatch(/96\.0 MiB.*64\.0 MiB|64\.0 MiB.*96\.0 MiB/);
  expect((await card.counts()).writtenBytes).toBe(0);
});

test("a node's image is written by the node's name", async () => {
  await using card = await openFaultyCard({ sizeBytes: cardBytes });
  const home = join(folder, "cluster");
  await mkdir(join(home, "images"), { recursive: true });
  const toml = `[cluster]\nname = "berry"\n[image]\ntarget = "debian-arm64"\n[user]\nname = "me"\npassword_hash = "$6$abcdefgh$${"a".repeat(86)}"\n[[node]]\nname = "pi1"\n`;
  await writeFile(join(home, "berry.toml"), toml);
  const words = ["pi1", card.device, "--yes-really", card.file];
  const missing = await runWrite(words, { cwd: home });
  expect(missing.exitCode).toBe(66);
  expect(JSON.stringify(missing.events)).toContain('"hint":"berry imager bake pi1"');
  await mustRun(["cp", "--sparse=always", image, join(home, "images/pi1.img")], {}, never);
  expect((await runWrite(words, { cwd: home })).exitCode).toBe(0);
  await expectWhole(card.memory);
});
