import type { CommandRunner } from "../../core/ports.ts";
import type { Extent } from "../source/image-map.ts";
import type { BlockDevice } from "./block-device.ts";
import { contentOf } from "./describe-disk.ts";
import type { Content, Disk, DiskUse } from "./disk.ts";
import { isMemberOf } from "./membership.ts";

/** Where blkid(8) and partx(8) lie; an ordinary user's PATH need not say so. */
const environment = { PATH: "/usr/sbin:/sbin:/usr/bin:/bin", LC_ALL: "C" };

/**
 * Looks at the content of a disk itself, which has to be readable: udev's record may be missing (containers), or older
 * than what is there. What the disk or a partition of it belongs to is added to its uses. Nothing is added where
 * there is no blkid(8), or the disk cannot be read. Programs read it, so that a disk that does not answer holds nobody
 * up for longer than the signal says.
 */
export async function probeDisk(disk: Disk, runner: CommandRunner, signal: AbortSignal): Promise<Disk> {
  const { sizeBytes } = disk.identity;
  const places = [
    { offsetBytes: 0, lengthBytes: sizeBytes },
    ...(await partitionsOf(disk.path, runner, signal)),
  ];
  const contents: Content[] = [];
  const uses: DiskUse[] = [];
  for (const place of places) {
    const properties = await blkid(disk.path, place, runner, signal);
    if (properties === null) return disk;
    const probed = asDevice(disk, properties);
    contents.push(...[contentOf(probed) ?? []].flat());
    uses.push(...isMemberOf(probed).map((of) => ({ use: "member", device: disk.name, of }) as const));
  }
  const known = new Set(disk.uses.flatMap((use) => (use.use === "member" ? [use.of] : [])));
  return {
    ...disk,
    contents: disk.contents.length > 0 ? disk.contents : contents,
    uses: [...disk.uses, ...uses.filter((use) => use.use === "member" && !known.has(use.of))],
  };
}

/** By partx(8), which reads the disk itself: it ends with 1 where there is no partition table. */
async function partitionsOf(path: string, runner: CommandRunner, signal: AbortSignal): Promise<Extent[]> {
  const table = await told(
    ["partx", "--show", "--noheadings", "--output", "START,SECTORS", path],
    runner,
    signal,
  );
  return (table ?? "").split("\n").flatMap((line) => {
    const [, start, sectors] = /^\s*(\d+)\s+(\d+)\s*$/.exec(line) ?? [];
    // of an extended partition, the first two sectors alone
    return start === undefined
      ? []
      : [{ offsetBytes: Number(start) * 512, lengthBytes: Number(sectors) * 512 }];
  });
}

/** What a program said; null: there is no such program. */
async function told(
  argv: readonly string[],
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<string | null> {
  const result = await runner.run(argv, { env: environment }, signal).catch(() => null);
  signal.throwIfAborted();
  return result === null ? null : result.stdout;
}

/** Exit codes: 2 for nothing found, 8 for several signatures at once, of which it then tells. null: there is no blkid. */
async function blkid(
  path: string,
  { offsetBytes, lengthBytes }: Extent,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<Record<string, string> | null> {
  const place = ["--offset", String(offsetBytes), "--size", String(lengthBytes)];
  const said = await told(["blkid", "--probe", "--output", "udev", ...place, path], runner, signal);
  if (said === null) return null;
  const pairs = said.split("\n").map((line) => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ""));
}

function asDevice({ name, identity }: Disk, properties: Readonly<Record<string, string>>): BlockDevice {
  return {
    name,
    majorMinor: identity.majorMinor,
    whole: name,
    sizeBytes: identity.sizeBytes,
    holders: [],
    slaves: [],
    deviceMapper: null,
    mdLevel: null,
    backingFile: null,
    udev: { properties, links: [] },
    hardware: null,
  };
}
