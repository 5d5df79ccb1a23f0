import { describe, expect, test } from "bun:test";

import { readGuestRecord, reportCollector } from "../../../../src/imager/boot/guest-record.ts";
import { chunkLength, reportFiles, reportMark } from "../../../../src/imager/boot/report-unit.ts";

const document = [
  "system_state\tdegraded",
  "multi_user_microseconds\t44327026",
  "host_name\tpi1",
  "kernel_release\t6.12.107+deb13-arm64",
  "os_name\tDebian GNU/Linux 13 (trixie)",
  "machine_id\te94de48680a546ada7a8d10ac91e7c15",
  "model\tRaspberry Pi 3 Model B",
  "root_device\t/dev/mmcblk0p2",
  "root_size_kib\t1374080",
  "root_free_kib\t774464",
  "berry_version\t0.1.0",
  "console_login\tyes",
  "address\teth0 10.0.2.15/24",
  "address\teth0 fec0::5054:ff:fe12:3456/64",
  "failed_unit\tapp.service",
  "failed_log\tapp.service Started app.service.",
  "failed_log\tapp.service cannot open /etc/app: Größe 0",
  "pending_job\tberry-boot-report.service",
  "pending_job\tslow.service",
  "unit\tId=ssh.service",
  "unit\tLoadState=loaded",
  "unit\tActiveState=active",
  "unit\tSubState=running",
  "unit\t",
  "unit\tLoadState=not-found",
  "unit\tId=avahi-daemon.service",
  "unit\tActiveState=inactive",
  "unit\tSubState=dead",
  "unit\t",
  "unit\tId=ssh.service",
  "unit\tLoadState=loaded",
  "unit\tActiveState=active",
  "unit\tSubState=running",
  "unit\t",
  "unit\tId=berry-boot-report.service",
  "unit\tLoadState=loaded",
  "unit\tActiveState=active",
  "unit\tSubState=running",
  "",
].join("\n");

/** The lines that the unit's script prints for a document. */
function consoleLines(text: string): readonly string[] {
  const chunks =
    Buffer.from(text)
      .toString("base64")
      .match(new RegExp(`.{1,${chunkLength}}`, "g")) ?? [];
  return chunks.map((chunk, index) => `${reportMark} ${index + 1} ${chunks.length} ${chunk.length} ${chunk}`);
}

/** What a collector makes of lines: the first whole document, or null. */
function collect(lines: readonly string[]): string | null {
  const collector = reportCollector();
  return lines.reduce<string | null>((whole, line) => whole ?? collector.add(line), null);
}

describe("reportCollector", () => {
  test("puts a report together, whatever stands between its lines", () => {
    expect(
      collect(consoleLines(document).flatMap((line) => [line, "[   12.3] usb 1-1: new device", ""])),
    ).toBe(document);
  });

  test("takes a broken line from a later pass", () => {
    const whole = consoleLines(document);
    const broken = whole.map((line, index) =>
      index === 2 ? `${line.slice(0, 40)}[   50.1] kernel: hello` : line,
    );
    expect(collect(broken)).toBeNull();
    expect(collect([...broken, ...whole])).toBe(document);
  });

  test("does not take a shortened line, or a longer one, for a whole one", () => {
    const whole = consoleLines(document);
    for (const damage of [(line: string) => line.slice(0, -1), (line: string) => `${line}A`]) {
      expect(collect(whole.map((line, index) => (index === 0 ? damage(line) : line)))).toBeNull();
    }
  });

  test("reads a line that follows a login prompt", () => {
    expect(
      collect(consoleLines(document).map((line, index) => (index === 0 ? `pi1 login: ${line}` : line))),
    ).toBe(document);
  });

  test("does not take numbers outside the report for its lines", () => {
    expect(collect([`${reportMark} 2 1 4 QUJD`, `${reportMark} 0 1 4 QUJD`])).toBeNull();
  });
});

describe("readGuestRecord", () => {
  test("reads every key", () => {
    expect(readGuestRecord(document)).toEqual({
      systemState: "degraded",
      hostName: "pi1",
      osName: "Debian GNU/Linux 13 (trixie)",
      kernelRelease: "6.12.107+deb13-arm64",
      machineId: "e94de48680a546ada7a8d10ac91e7c15",
      model: "Raspberry Pi 3 Model B",
      multiUserSeconds: 44.327026,
      rootDevice: "/dev/mmcblk0p2",
      rootSizeBytes: 1_407_057_920,
      rootFreeBytes: 793_051_136,
      berryVersion: "0.1.0",
      consoleLogin: true,
      addresses: [
        { interface: "eth0", address: "10.0.2.15/24" },
        { interface: "eth0", address: "fec0::5054:ff:fe12:3456/64" },
      ],
      services: [{ unit: "ssh.service", active: "active", sub: "running" }],
      failedUnits: [{ unit: "app.service", log: ["Started app.service.", "cannot open /etc/app: Größe 0"] }],
      pendingJobs: ["slow.service"],
    });
  });

  test("leaves empty what the system did not say", () => {
    expect(readGuestRecord("host_name\tpi2\nmulti_user_microseconds\t0\n")).toMatchObject({
      hostName: "pi2",
      multiUserSeconds: null,
      berryVersion: null,
      services: [],
      rootSizeBytes: 0,
    });
  });
});

test("the report's script is shell that a POSIX shell can parse", () => {
  const script = reportFiles(240).find(({ path }) => path.endsWith(".sh"))?.text ?? "";
  expect(script).toContain("timeout 240 systemctl is-system-running --wait");
  const checked = Bun.spawnSync(["sh", "-n"], { stdin: new TextEncoder().encode(script), stderr: "pipe" });
  expect(checked.stderr.toString()).toBe("");
  expect(checked.exitCode).toBe(0);
});
