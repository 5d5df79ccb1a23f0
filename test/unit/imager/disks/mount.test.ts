import { expect, test } from "bun:test";
import { majorMinorOf } from "../../../../src/imager/disks/collect-keep-paths.ts";
import { mountOf, parseMounts, parseSwaps } from "../../../../src/imager/disks/mount.ts";
import { decodeUdev, parseUdevRecord } from "../../../../src/imager/disks/udev-record.ts";
import { printable } from "../../../../src/core/printable.ts";

test("a line of mountinfo is read with any number of optional fields", () => {
  const mounts = parseMounts(
    "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n" +
      "37 35 0:39 / /m\\040nt\\134\\011\\043 rw - btrfs /dev/sd\\040a rw\n",
  );
  expect(mounts).toEqual([
    {
      majorMinor: "98:0",
      root: "/mnt1",
      at: "/mnt2",
      type: "ext3",
      source: "/dev/root",
      options: ["rw", "errors=continue"],
    },
    { majorMinor: "0:39", root: "/", at: "/m nt\\\t#", type: "btrfs", source: "/dev/sd a", options: ["rw"] },
  ]);
});

test("a source that is empty, as some mounts have it, is no fault", () => {
  expect(parseMounts("36 35 0:9 / /mnt rw - tmpfs  rw\n")[0]?.source).toBe("");
});

test.each([
  "36 35 98:0",
  "36 35 98:0 / /mnt rw ext3 /dev/root rw",
  "36 35 what / /mnt rw - ext3 /dev/root rw",
])("a line of mountinfo that is not understood stops everything: %s", (line) => {
  expect(() => parseMounts(line)).toThrow("cannot understand this line");
});

test("swaps are told apart, with spaces in their paths and after they were deleted", () => {
  const text =
    "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" +
    "/dev/dm-1                               partition\t999420\t\t0\t\t-2\n" +
    "/sw\\040ap\\040(deleted)                  file\t\t4092\t\t0\t\t-3\n";
  expect(parseSwaps(text)).toEqual([
    { path: "/dev/dm-1", isFile: false },
    { path: "/sw ap", isFile: true },
  ]);
});

test("a path lies on the mount nearest above it, of two at the same place on the later one", () => {
  const at = (...places: string[]) =>
    parseMounts(places.map((place, index) => `1 1 8:${index} / ${place} rw - ext4 /dev/x rw\n`).join(""));
  const mounts = at("/", "/mnt", "/mnt", "/mn");
  expect(mountOf("/mnt/a", mounts)?.majorMinor).toBe("8:2");
  expect(mountOf("/mnt", mounts)?.majorMinor).toBe("8:2");
  expect(mountOf("/mntx", mounts)?.majorMinor).toBe("8:0");
  expect(mountOf("/a", at("/mnt"))).toBeNull();
});

test("a record of udev keeps equals signs and decodes labels", () => {
  const record = parseUdevRecord("S:disk/by-id/usb-x\nI:12\nE:ID_FS_TYPE=vfat\nE:ID_X=a=b\nG:systemd\n");
  expect(record).toEqual({ properties: { ID_FS_TYPE: "vfat", ID_X: "a=b" }, links: ["disk/by-id/usb-x"] });
  expect(decodeUdev("gr\\xc3\\xbcn\\x20\\x5cx")).toBe("grün \\x");
});

test.each([
  [0x810, "8:16"],
  [0xfe00, "254:0"],
  [0x10103, "257:3"],
  [0x100000 + 0x810, "8:272"],
])("the device number %p is %s", (device, text) => {
  expect(majorMinorOf(device)).toBe(text);
});

test("text of others cannot steer a terminal, nor hide letters", () => {
  expect(printable("a\u001b[2Jb\u202ec\u200bd\né")).toBe("a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{a}é");
});
