import { BerryError } from "../../core/errors.ts";

/** An ext4's first inode that is no reserved one: lost+found. */
const firstInode = 11;

/**
 * Numbers of the inodes that hold something, or ever did, of what debugfs(8) answers to `show_super_stats`:
 * each group fills from its beginning.
 * @throws BerryError `software` when it says something else
 */
export function usedInodes(stats: string): number[] {
  const perGroup = Number(/^Inodes per group:\s+(\d+)$/m.exec(stats)?.[1]);
  const unused = Array.from(stats.matchAll(/ free inodes?, .*, (\d+) unused inodes?$/gm), ([, count]) =>
    Number(count),
  );
  const used = unused.flatMap((count, group) =>
    Array.from({ length: perGroup - count }, (_, index) => group * perGroup + index + 1),
  );
  if (!used.includes(firstInode))
    throw new BerryError("software", "debugfs does not say which inodes are in use");
  return used.filter((inode) => inode >= firstInode);
}

/** Commands for debugfs(8): when each was changed and read. */
export function settleInodesScript(inodes: readonly number[], epochSeconds: number): string {
  return inodes
    .flatMap((inode) =>
      ["ctime", "atime"].map((field) => `set_inode_field <${inode}> ${field} @${epochSeconds}\n`),
    )
    .join("");
}
