import { describe, expect, test } from "bun:test";

import { judgeBoot, type BootReport } from "../../../../src/imager/boot/boot-report.ts";
import { bootRows, describeBootEvent } from "../../../../src/imager/boot/describe-boot.ts";
import type { GuestRecord } from "../../../../src/imager/boot/guest-record.ts";

type Facts = Omit<BootReport, "ok" | "reasons" | "notes">;

const guest: GuestRecord = {
  systemState: "running",
  hostName: "pi1",
  osName: "Debian GNU/Linux 13 (trixie)",
  kernelRelease: "6.12.107+deb13-arm64",
  machineId: "e94de48680a546ada7a8d10ac91e7c15",
  model: "Raspberry Pi 3 Model B",
  multiUserSeconds: 44.3,
  rootDevice: "/dev/mmcblk0p2",
  rootSizeBytes: 2 ** 31,
  rootFreeBytes: 2 ** 30,
  berryVersion: "0.1.0",
  consoleLogin: true,
  addresses: [{ interface: "eth0", address: "10.0.2.15/24" }],
  services: [{ unit: "prometheus-node-exporter.service", active: "active", sub: "running" }],
  failedUnits: [],
  pendingJobs: [],
};

const facts: Facts = {
  image: "/images/pi1.img",
  machine: "raspi3b",
  seconds: { kernel: 2, login: 80, report: 95 },
  guest,
  ssh: { banner: "SSH-2.0-OpenSSH_10.0", login: { state: "accepted", detail: "" } },
  nodeExporter: { state: "answers", samples: 900 },
};

function withGuest(changes: Partial<GuestRecord>): Facts {
  return { ...facts, guest: { ...guest, ...changes } };
}

const expected = { expectedHostName: "pi1", reachable: true, hasFan: false, isMonitor: false };

describe("judgeBoot", () => {
  test("a system on which everything works is ok", () => {
    expect(judgeBoot(facts, expected)).toEqual({ ok: true, reasons: [], notes: [], ...facts });
    expect(judgeBoot(facts, { ...expected, expectedHostName: null }).ok).toBe(true);
  });

  const disappointments: readonly (readonly [Facts, string])[] = [
    [withGuest({ hostName: "raspberrypi" }), "host name is raspberrypi, expected pi1"],
    [withGuest({ machineId: "uninitialized" }), "machine-id is uninitialized"],
    [withGuest({ machineId: "" }), "machine-id is empty"],
    [withGuest({ addresses: [] }), "no interface has an address"],
    [
      withGuest({ systemState: "starting", pendingJobs: ["a.service"] }),
      "systemd did not finish the boot; pending: a.service",
    ],
    [
      withGuest({
        failedUnits: [
          {
            unit: "app.service",
            log: ["Starting app.service...", "no such key", "app.service: Failed with result 'exit-code'."],
          },
        ],
      }),
      "app.service failed: no such key",
    ],
    [withGuest({ failedUnits: [{ unit: "app.service", log: [] }] }), "app.service failed"],
    [
      withGuest({
        failedUnits: [
          { unit: "app.service", log: ["Started app.service.", "app.service: Main process exited"] },
        ],
      }),
      "app.service failed: app.service: Main process exited",
    ],
    [withGuest({ consoleLogin: false }), "nobody can log in at the console: the image has no /bin/login"],
    [{ ...facts, ssh: { ...facts.ssh, banner: null } }, "no SSH server answered on port 22"],
    [
      {
        ...facts,
        ssh: { ...facts.ssh, login: { state: "refused", detail: "Permission denied (publickey)." } },
      },
      "login by public key was refused: Permission denied (publickey).",
    ],
    [
      { ...facts, nodeExporter: { state: "silent", samples: 0 } },
      "node_exporter runs, but did not answer on port 9100",
    ],
  ];
  test.each(disappointments)("%# is not ok, for one reason", (disappointing, reason) => {
    expect(judgeBoot(disappointing, expected)).toMatchObject({ ok: false, reasons: [reason] });
  });

  test("what no emulated machine has is a note, no reason", () => {
    const report = judgeBoot(
      withGuest({ failedUnits: [{ unit: "wpa_supplicant@wlan0.service", log: ["no such device"] }] }),
      expected,
    );
    expect(report.ok).toBe(true);
    expect(report.notes).toEqual(["wpa_supplicant@wlan0.service failed: no wireless interface is emulated"]);
  });

  const daemon = (active: string, sub: string): Facts =>
    withGuest({ services: [...guest.services, { unit: "berry-fand.service", active, sub }] });
  const why = "no firmware has applied the fan's device-tree overlay";

  test("a fan daemon that is started again for ever is a note where it has a fan to find, else a reason", () => {
    const restarting = daemon("activating", "auto-restart");
    const idle = "berry-fand.service does not run, but is activating (auto-restart)";
    expect(judgeBoot(restarting, { ...expected, hasFan: true })).toMatchObject({
      ok: true,
      notes: [`${idle}: ${why}`],
    });
    expect(judgeBoot(restarting, expected)).toMatchObject({ ok: false, reasons: [idle], notes: [] });
    for (const hasFan of [true, false])
      expect(judgeBoot(daemon("active", "running"), { ...expected, hasFan })).toMatchObject({
        ok: true,
        notes: [],
      });
  });

  test("a fan daemon that failed is told once", () => {
    const failed = {
      ...daemon("failed", "failed").guest,
      failedUnits: [{ unit: "berry-fand.service", log: ["no PWM chip"] }],
    };
    expect(judgeBoot(withGuest(failed), { ...expected, hasFan: true })).toMatchObject({
      ok: true,
      notes: [`berry-fand.service failed: ${why}`],
    });
    expect(judgeBoot(withGuest(failed), expected)).toMatchObject({
      ok: false,
      reasons: ["berry-fand.service failed: no PWM chip"],
      notes: [],
    });
  });

  test("a monitor whose Prometheus or list of nodes does not run is not ok, for each", () => {
    const services = (...states: readonly (readonly [string, string, string])[]): Facts =>
      withGuest({
        services: [...guest.services, ...states.map(([unit, active, sub]) => ({ unit, active, sub }))],
      });
    const up = (unit: string) => [unit, "active", "running"] as const;
    const again = (unit: string) => [unit, "activating", "auto-restart"] as const;
    const [prometheus, targets] = ["prometheus.service", "berry-targets.service"];
    const reasons = (about: Facts, isMonitor = true) => judgeBoot(about, { ...expected, isMonitor }).reasons;
    expect(reasons(services(up(prometheus), up(targets)))).toEqual([]);
    expect(reasons(services(again(prometheus), again(targets)))).toEqual([
      "prometheus.service does not run, but is activating (auto-restart)",
      "berry-targets.service does not run, but is activating (auto-restart)",
    ]);
    expect(reasons(services(up(targets)))).toEqual(["prometheus.service is not in the image"]);
    expect(reasons(services([prometheus, "inactive", "dead"]), false)).toEqual([]);
  });

  test("a login that was not tried is a note", () => {
    const report = judgeBoot(
      { ...facts, ssh: { ...facts.ssh, login: { state: "not tried", detail: "no user is named" } } },
      expected,
    );
    expect(report).toMatchObject({
      ok: true,
      notes: ["login by public key was not tried: no user is named"],
    });
  });

  test("an image without node_exporter need not answer", () => {
    const report = judgeBoot(
      { ...withGuest({ services: [] }), nodeExporter: { state: "silent", samples: 0 } },
      expected,
    );
    expect(report.reasons).toEqual([]);
  });
});

test("the table begins with the verdict and its reasons", () => {
  const rows = bootRows(judgeBoot(withGuest({ hostName: "x", berryVersion: null }), expected));
  expect(rows.slice(0, 2)).toEqual([
    ["verdict", "not ok"],
    ["problem", "host name is x, expected pi1"],
  ]);
  expect(rows).toContainEqual(["login prompt", "1 min 20 s"]);
  expect(rows).toContainEqual(["root", "/dev/mmcblk0p2, 2.0 GiB, 1.0 GiB free"]);
  expect(rows).toContainEqual(["berry", "not in the image"]);
  expect(rows).toContainEqual(["prometheus-node-exporter.service", "active (running)"]);
});

test("progress says what stands in for the firmware, and leaves console lines out", () => {
  expect(
    describeBootEvent({
      ...{ event: "started", machine: "virt", kernel: "kernel8.img", initramfs: null, deviceTree: null },
      ...{ commandLine: "rw", sshPort: 2222, nodeExporterPort: 9101 },
    }),
  ).toBe("firmware skipped: virt started with kernel8.img; ssh at 127.0.0.1:2222");
  expect(describeBootEvent({ event: "reached", milestone: "login", seconds: 80 })).toBe(
    "login prompt after 1 min 20 s",
  );
  expect(describeBootEvent({ event: "console", line: "noise" })).toBeNull();
});
