import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Health } from "../../../../src/probe/health.ts";
import { collectHealth } from "../../../../src/probe/health/collect-health.ts";

const page = readFileSync(join(import.meta.dir, "../../../fixtures/node-exporter.prom"), "utf8");

function read(text: string): Health | null {
  const collector = collectHealth();
  for (const line of text.split("\n")) collector.take(line);
  return collector.finish();
}
/** The page with other values for some of its lines; null removes the line. */
function changed(changes: Readonly<Record<string, string | null>>): Health | null {
  const lines = page.split("\n").flatMap((line) => {
    const change = Object.entries(changes).find(([start]) => line.startsWith(`${start} `));
    if (change === undefined) return [line];
    return change[1] === null ? [] : [`${change[0]} ${change[1]}`];
  });
  return read(lines.join("\n"));
}

describe("a page of node_exporter", () => {
  test("says how a node is", () => {
    expect(read(page)).toEqual({
      temperature: 52.582,
      isTemperatureAbsurd: false,
      fans: [{ name: "fan", dutyRatio: 0.4, rpm: 2150, isStalled: false }],
      load1: 1.03,
      processors: 2,
      memory: { total: 25276502016, available: 24656105472 },
      disk: { size: 270553174016, available: 201653174016, isReadOnly: false },
      throttled: [],
      throttledSinceBoot: ["under-voltage"],
      bootTime: 1795393411,
      now: 1795417254.935061,
      isClockSynchronised: true,
      failedUnits: [],
      fanUpdated: 1795417254.123,
      doubtfulSensors: [],
      berryVersion: "0.1.0",
      hostName: "pi1",
    });
  });
  test("names the units that have failed, and no others", () => {
    const unit = 'node_systemd_unit_state{name="man-db.service",state="failed",type="oneshot"}';
    expect(changed({ [unit]: "1" })?.failedUnits).toEqual(["man-db.service"]);
  });
  test("without a unit does not say whether any has failed", () => {
    const lines = page.split("\n").filter((line) => !line.startsWith("node_systemd_unit_state"));
    expect(read(lines.join("\n"))).toMatchObject({ hostName: "pi1", failedUnits: null });
  });
  test("without berry has the temperature of the thermal zone, then that of hwmon, then none", () => {
    const node = page.split("\n").filter((line) => !line.startsWith("berry_"));
    expect(read(node.join("\n"))?.temperature).toBe(48.686);
    expect(read(node.join("\n"))?.fans).toEqual([]);
    const chips = node.filter((line) => !line.startsWith("node_thermal_zone"));
    expect(read(chips.join("\n"))?.temperature).toBe(48.686);
    const disks = chips.map((line) => line.replaceAll("cpu_thermal", "nvme"));
    expect(read(disks.join("\n"))?.temperature).toBeNull();
  });
  test("of a fan daemon that fell silent has the thermal zone's temperature, and nothing of the fan", () => {
    const health = changed({ berry_fan_last_update_timestamp_seconds: "1.7954172e+09" });
    expect(health?.temperature).toBe(48.686);
    expect(health?.fans).toEqual([{ name: "fan", dutyRatio: null, rpm: null, isStalled: false }]);
    expect(health?.throttled).toBeNull();
  });
  test("has the hottest of several sensors", () => {
    expect(read(`${page}berry_cpu_temperature_celsius{sensor="gpu"} 61\n`)?.temperature).toBe(61);
  });
  test("knows the root file system by its mount point alone", () => {
    const line = 'node_filesystem_avail_bytes{device="/dev/mmcblk0p2",fstype="ext4",mountpoint="/"}';
    expect(changed({ [line]: null })?.disk).toBeNull();
    const readonly = 'node_filesystem_readonly{device="/dev/mmcblk0p2",fstype="ext4",mountpoint="/"}';
    expect(changed({ [readonly]: "1" })?.disk?.isReadOnly).toBe(true);
  });
});

describe("what no node can have is not believed", () => {
  test.each(["NaN", "+Inf", "-1", "1e300", "twelve", ""])("a load and a memory of %p", (value) => {
    const health = changed({ node_load1: value, node_memory_MemTotal_bytes: value });
    expect(health?.load1).toBeNull();
    expect(health?.memory).toBeNull();
  });
  test.each(["NaN", "+Inf", "5000", "-273"])("a temperature of %p", (value) => {
    expect(changed({ 'berry_cpu_temperature_celsius{sensor="cpu"}': value })?.temperature).toBe(48.686);
  });
  test.each(["-40.1", "125.1"])("nothing but temperatures of %p", (value) => {
    const text = `node_load1 1\nnode_thermal_zone_temp{type="cpu-thermal",zone="0"} ${value}\n`;
    expect(read(text)).toMatchObject({ temperature: null, isTemperatureAbsurd: true });
    expect(read(text.replace("cpu-thermal", "nvme"))).toMatchObject({ isTemperatureAbsurd: false });
  });
  test("a fan daemon of the future", () => {
    const health = changed({ berry_fan_last_update_timestamp_seconds: "1.7954173e+09" });
    expect(health?.fans).toEqual([{ name: "fan", dutyRatio: null, rpm: null, isStalled: false }]);
  });
  test("a duty of more than all", () => {
    expect(changed({ 'berry_fan_duty_ratio{fan="fan"}': "40" })?.fans[0]?.dutyRatio).toBeNull();
  });
  test("a page that is none of node_exporter's is no health", () => {
    expect(read("")).toBeNull();
    expect(read("<html>\n<h1>node_load1 1</h1>\n")).toBeNull();
    expect(read("go_goroutines 12\nberry_build_info 1\n")).toBeNull();
  });
  test("a million fans, zones and units take no room", () => {
    const collector = collectHealth();
    collector.take("node_load1 1");
    for (let index = 0; index < 10_000; index += 1) {
      collector.take(`berry_fan_duty_ratio{fan="${index}"} 1`);
      collector.take(`node_systemd_unit_state{name="${"x".repeat(1000)}${index}",state="failed"} 1`);
      collector.take(`berry_throttled{reason="${index}"} 1`);
    }
    const health = collector.finish();
    expect(health?.fans).toHaveLength(64);
    expect(health?.throttled).toHaveLength(64);
    expect(JSON.stringify(health).length).toBeLessThan(64 * 1024);
  });
});
