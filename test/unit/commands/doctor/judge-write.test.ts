import { describe, expect, test } from "bun:test";
import { judgeWrite } from "../../../../src/commands/doctor/judge-write.ts";
import type { Disk } from "../../../../src/imager/disks/disk.ts";
import { judgeDisk } from "../../../../src/imager/disks/verdict.ts";

const card: Disk = {
  name: "sdb",
  path: "/dev/sdb",
  byId: [],
  identity: { majorMinor: "8:16", sizeBytes: 32 * 1024 ** 3, serial: "4C53", sequence: 7 },
  logicalSectorBytes: 512,
  model: "SanDisk Ultra",
  bus: "usb",
  kind: "disk",
  isRemovable: true,
  isReadOnly: false,
  partitions: [],
  contents: [],
  uses: [],
  doubts: [],
};
const mounted: Disk = {
  ...card,
  name: "sdc",
  path: "/dev/sdc",
  uses: [{ use: "mounted", device: "sdc1", at: "/media/me" }],
};
const system: Disk = {
  ...card,
  name: "nvme0n1",
  path: "/dev/nvme0n1",
  bus: "nvme",
  isRemovable: false,
  uses: [{ use: "holds", device: "nvme0n1p2", path: "/" }],
};
const reader: Disk = { ...card, name: "sdd", path: "/dev/sdd", identity: { ...card.identity, sizeBytes: 0 } };

const judged = (disks: readonly Disk[], denied: readonly string[] = []) =>
  judgeWrite({
    disks: disks.map((disk) => ({ disk, verdict: judgeDisk(disk, { minimumBytes: null }) })),
    denied: denied.map((path) => ({ path, group: "disk", isForGroup: true })),
  });

describe("cards", () => {
  test("that are free, and that this user may open, are ready", () => {
    const report = judged([system, card, mounted]);
    expect(report.level).toBe("ready");
    expect(report.findings.map(({ level, what }) => [level, what])).toEqual([
      ["ready", "/dev/sdb (SanDisk Ultra, 32.0 GiB) can be written"],
    ]);
  });
  test("that this user may not open get the line with sudo", () => {
    const report = judged([card], ["/dev/sdb"]);
    expect(report.level).toBe("partly");
    expect(report.findings[0]?.what).toEndWith(
      "can be written, but this user may not write to /dev/sdb: root may, and who is in the group disk",
    );
    expect(report.findings[0]?.remedy).toBe("sudo berry imager write NODE /dev/sdb");
  });
  test("that are in use are told with what frees them", () => {
    const report = judged([system, mounted]);
    expect(report.level).toBe("missing");
    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]?.what).toContain("sdc1 is mounted at /media/me");
    expect(report.findings[0]?.remedy).toBe("udisksctl unmount -b /dev/sdc1");
  });
  test("about which something is in doubt have to be confirmed", () => {
    const report = judged([system, { ...card, doubts: ["udev does not tell what is on sdb"] }, mounted]);
    expect(report).toMatchObject({ level: "partly", what: "a card is there, and has to be confirmed" });
    expect(report.findings[0]).toMatchObject({
      level: "partly",
      what: "/dev/sdb: udev does not tell what is on sdb",
      remedy: "berry imager devices says how to confirm it",
    });
    expect(report.findings).toHaveLength(2);
  });
  test("that are not there are no fault of the machine, and said", () => {
    for (const disks of [[system], [system, reader], []]) {
      const report = judged(disks);
      expect(report.level).toBe("partly");
      expect(report.findings[0]?.what).toStartWith("no card is ready to be written");
      expect(report.findings[0]?.remedy).not.toBeNull();
    }
  });
});
