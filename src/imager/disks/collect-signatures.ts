import { open } from "node:fs/promises";
import type { CommandRunner } from "../../core/ports.ts";
import type { Extent } from "../source/image-map.ts";
import { readPartitionTables } from "../source/partitions.ts";
import type { BlockDevice } from "./block-device.ts";
import { contentOf } from "./describe-disk.ts";
import type { Content, Disk, DiskUse } from "./disk.ts";
import { isMemberOf } from "./membership.ts";

/** Where blkid(8) lies; an ordinary user's PATH need not say so. */
const environment = { PATH: "/usr/sbin:/sbin:/usr/bin:/bin", LC_ALL: "C" };

/**
 * Looks at the content of a disk itself, which has to be readable: udev's record may be missing (containers), or older
 * than what is there. What the disk or a partition of it belongs to is added to its uses. Nothing is added where
 * there is no blkid(8).
 *
 * @throws BerryError `io` where the disk cannot be read
 */
export async function probeDisk(disk: Disk, runner: CommandRunner, signal: AbortSignal): Promise<Disk> {
  const { sizeBytes } = disk.identity;
  const places = [{ offsetBytes: 0, lengthBytes: sizeBytes }, ...(await partitionsOf(disk))];
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

async function partitionsOf({ path, identity }: Disk): Promise<readonly Extent[]> {
  await using file = await open(path, "r");
  const read = async (offsetBytes: number, lengthBytes: number): Promise<Uint8Array> => {
    const { buffer, bytesRead } = await file.read(new Uint8Array(lengthBytes), 0, lengthBytes, offsetBytes);
    return buffer.subarray(0, bytesRead);
  };
  return (await readPartitionTables(read, identity.sizeBytes))?.partitions ?? [];
}

/** Exit codes: 2 for nothing found, 8 for several signatures at once, of which it then tells. null: there is no blkid. */
async function blkid(
  path: string,
  { offsetBytes, lengthBytes }: Extent,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<Record<string, string> | null> {
  const place = ["--offset", String(offsetBytes), "--size", String(lengthBytes)];
  const result = await runner
    .run(["blkid", "--probe", "--output", "udev", ...place, path], { env: environment }, signal)
    .catch(() => null);
  signal.throwIfAborted();
  if (result === null) return null;
  const pairs = result.stdout.split("\n").map((line) => {
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
