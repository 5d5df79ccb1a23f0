import { describe, expect, test } from "bun:test";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { settleInodesScript, usedInodes } from "../../../../src/imager/formats/settled-inodes.ts";

/** As debugfs 1.47 says it, abridged. */
const stats = (...groups: readonly string[]): string =>
  [
    "Inode count:              64",
    "Free inodes:              30",
    "Inodes per group:         16",
    "First inode:              11",
    ...groups.map(
      (group, index) =>
        ` Group  ${index}: block bitmap at 50, inode bitmap at 54, inode table at 58\n           ${group}\n           [Checksum 0x37f4]`,
    ),
    "",
  ].join("\n");

describe("the inodes in use", () => {
  test("are the first ones of each group, but for those that are reserved", () => {
    const dump = stats(
      "7 free blocks, 1 free inode, 1 used directory, 1 unused inode",
      "7 free blocks, 13 free inodes, 0 used directories, 13 unused inodes",
      "7 free blocks, 16 free inodes, 0 used directories, 16 unused inodes",
    );
    expect(usedInodes(dump)).toEqual([11, 12, 13, 14, 15, 17, 18, 19]);
  });
  test("are also those that were freed again", () => {
    expect(usedInodes(stats("7 free blocks, 4 free inodes, 1 used directories, 2 unused inodes"))).toEqual([
      11, 12, 13, 14,
    ]);
  });
  test("are not guessed when debugfs speaks otherwise", async () => {
    expect(String(await failureOf(Promise.try(() => usedInodes("nonsense"))))).toContain("debugfs");
    expect(String(await failureOf(Promise.try(() => usedInodes(stats()))))).toContain("debugfs");
  });
});

test("each inode was changed and read on the epoch", () => {
  expect(settleInodesScript([11, 12], 1_700_000_000)).toBe(
    `set_inode_field <11> ctime @1700000000
set_inode_field <11> atime @1700000000
set_inode_field <12> ctime @1700000000
set_inode_field <12> atime @1700000000
`,
  );
});
