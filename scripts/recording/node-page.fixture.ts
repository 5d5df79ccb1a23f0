import { readFileSync } from "node:fs";
import type { NodeVitals } from "./probe.ts";

/** A node's page on port 9100, in every family: `bun node-page.fixture.ts VITALS`. Ends when it is killed. */
// Checked boundary: probe.ts wrote it.
const vitals = JSON.parse(process.argv[2] ?? "") as NodeVitals;
const page = readFileSync(new URL("../../test/fixtures/node-exporter.prom", import.meta.url), "utf8");
const started = Date.now() / 1000;

function pageNow(): string {
  const now = Date.now() / 1000;
  const memory = vitals.availableMemoryBytes;
  return page
    .replace('nodename="pi1"', `nodename="${vitals.hostName}"`)
    .replace(/^(berry_cpu_temperature_celsius\S+) .+$/m, `$1 ${vitals.celsius}`)
    .replace(/^(berry_fan_duty_ratio\S+) .+$/m, `$1 ${vitals.dutyRatio}`)
    .replace(/^(berry_fan_speed_rpm\S+) .+$/m, `$1 ${vitals.rpm}`)
    .replace(/^(berry_throttled_since_boot\S*"under-voltage"\S*) .+$/m, `$1 ${Number(vitals.underVoltage)}`)
    .replace(/^(node_boot_time_seconds) .+$/m, `$1 ${started - vitals.bootedSecondsAgo}`)
    .replace(/^(node_load1) .+$/m, `$1 ${vitals.load}`)
    .replace(/^(node_memory_MemAvailable_bytes) .+$/m, `$1 ${memory}`)
    .replace(/^(node_time_seconds|berry_fan_last_update_timestamp_seconds) .+$/gm, `$1 ${now}`);
}

Bun.serve({ hostname: "::", port: 9100, fetch: () => new Response(pageNow()) });
process.stdout.write("serving\n");
