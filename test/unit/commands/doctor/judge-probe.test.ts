import { describe, expect, test } from "bun:test";
import { prescribe } from "../../../../src/commands/doctor/finding.ts";
import { judgeProbe, type UnitFacts } from "../../../../src/commands/doctor/judge-probe.ts";
import type { InterfaceFacts } from "../../../../src/probe/discovery/links.ts";

const eth0: InterfaceFacts = {
  name: "eth0",
  networks: ["192.168.1.5/24", "fe80::1/64"],
  isLoopback: false,
  isUp: true,
  canMulticast: true,
  isBridge: false,
  isPhysical: true,
  kind: null,
};
const lo: InterfaceFacts = {
  ...eth0,
  name: "lo",
  networks: ["127.0.0.1/8"],
  isLoopback: true,
  isPhysical: false,
};
const docker: InterfaceFacts = { ...eth0, name: "docker0", isBridge: true, isPhysical: false };
const wlan: InterfaceFacts = { ...eth0, name: "wlan0", networks: ["10.0.0.2/8"] };
const active = { load: "loaded", file: "enabled", active: "active" };

const onPi = (announce: UnitFacts, avahi: UnitFacts) =>
  judgeProbe({ brokenFile: null, interfaces: [lo, eth0], announcing: { announce, avahi } });
const ill = (report: ReturnType<typeof judgeProbe>) =>
  prescribe([report], "debian", false)
    .reports.flatMap(({ findings }) => findings)
    .filter(({ level }) => level !== "ready")
    .map(({ what, remedy }) => [what, remedy]);

describe("looking for nodes", () => {
  test("goes through every real interface, and a firewall has to let it", () => {
    const report = judgeProbe({ brokenFile: null, interfaces: [lo, docker, eth0, wlan], announcing: null });
    expect(report.level).toBe("ready");
    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]?.what).toBe("asked through eth0 (IPv4, IPv6), wlan0 (IPv4)");
    expect(report.findings[0]?.remedy).toContain("UDP to port 5353");
  });
  test.each([
    ["no interface", [lo]],
    ["containers' alone", [lo, docker]],
    ["a cable that is pulled out", [lo, { ...eth0, isUp: false }]],
    ["no address", [lo, { ...eth0, networks: [] }]],
  ])("is missing with %s", (_, interfaces) => {
    const report = judgeProbe({ brokenFile: null, interfaces, announcing: null });
    expect(report.level).toBe("missing");
    expect(report.findings[0]?.what).toBe("no network interface can be asked for nodes");
    expect(report.findings[0]?.remedy).toContain("connect a network");
  });
});

describe("being found", () => {
  test("needs both units", () => {
    expect(onPi(active, active)).toMatchObject({ level: "ready", what: "nodes can be looked for" });
    expect(ill(onPi(active, active))).toEqual([]);
  });
  test("is partly so without avahi, which one command installs", () => {
    const report = onPi(active, { load: "not-found", file: "", active: "inactive" });
    expect(report.level).toBe("partly");
    expect(ill(report)).toEqual([
      [
        "avahi is not installed: nothing announces this Pi",
        "sudo apt-get install --no-install-recommends avahi-daemon",
      ],
    ]);
  });
  test.each([
    [{ load: "not-found", file: "", active: "inactive" }, "is not installed", "install berry's package"],
    [{ load: "masked", file: "masked", active: "inactive" }, "is masked", "sudo systemctl unmask"],
    [{ load: "loaded", file: "enabled", active: "failed" }, "has failed", "journalctl -u berry-announce"],
    [
      { load: "loaded", file: "disabled", active: "inactive" },
      "does not run: inactive",
      "sudo systemctl enable --now berry-announce.service",
    ],
    [
      { load: "loaded", file: "disabled", active: "active" },
      "after the next boot it does not run",
      "sudo systemctl enable --now berry-announce.service",
    ],
    [null, "systemctl does not answer", "systemctl status berry-announce.service"],
  ])("tells of a unit that is %j", (unit, what, remedy) => {
    const report = onPi(unit, active);
    expect(report.level).toBe("partly");
    const [found, ...others] = ill(report);
    expect(others).toEqual([]);
    expect(found?.[0]).toContain(what);
    expect(found?.[1]).toContain(remedy);
  });
  test("does not hide that there is no network", () => {
    expect(
      judgeProbe({ brokenFile: null, interfaces: [lo], announcing: { announce: null, avahi: active } }).level,
    ).toBe("missing");
  });
});

describe("beside a berry.toml that is broken", () => {
  const message = "berry.toml: line 1, column 3: incomplete table header";
  const judge = (hint: string | null, interfaces = [lo, eth0]) =>
    judgeProbe({ brokenFile: { message, hint }, interfaces, announcing: null });

  test("it has to be mended, or left out", () => {
    expect(judge("see https://toml.io")).toMatchObject({
      level: "missing",
      what: "berry.toml has to be mended first",
    });
    expect(ill(judge("see https://toml.io"))).toEqual([
      [message, "see https://toml.io; until then: berry probe --no-cluster"],
    ]);
    expect(ill(judge("or read no cluster file: --no-cluster"))).toEqual([
      [message, "or read no cluster file: --no-cluster"],
    ]);
  });
  test("what the network lacks is told besides", () => {
    const report = judge(null, [lo]);
    expect(report.what).toBe("there is no network to look for nodes in");
    expect(ill(report).map(([what]) => what)).toEqual([
      message,
      "no network interface can be asked for nodes",
    ]);
  });
});
