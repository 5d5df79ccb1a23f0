import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDiagnosis } from "../../../src/config/problem.ts";
import { composeFand } from "../../../src/fand/config/compose-fand.ts";
import { renderMetrics } from "../../../src/fand/daemon/render-metrics.ts";
import { fanPost, sensorPost } from "../../../src/fand/daemon/round.ts";
import { celsius, percent } from "../../../src/fand/units.ts";
import { ask } from "../../../src/probe/health/ask-http.ts";
import { healthCollectors, pagePath, unitCollectors } from "../../../src/probe/health/collectors.ts";
import type { Answer, Health } from "../../../src/probe/health.ts";

const { signal } = new AbortController();
let folder = "";
let port = 0;
const exporters: Bun.Subprocess<"ignore", "ignore", "pipe">[] = [];

/** The real one, of the distribution, with the sensors of a Pi and the folder that the fan daemon writes to; its port. */
function startExporter(...words: readonly string[]): Promise<number> {
  const exporter = Bun.spawn(
    [
      "prometheus-node-exporter",
      "--web.listen-address=127.0.0.1:0",
      `--path.sysfs=${join(folder, "sys")}`,
      `--collector.textfile.directory=${join(folder, "textfile")}`,
      ...words,
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  exporters.push(exporter);
  return portOf(exporter.stderr);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-exporter-"));
  await mkdir(join(folder, "textfile"));
  const sensors = {
    "thermal/thermal_zone0": { type: "cpu-thermal", temp: "48686", policy: "step_wise" },
    "hwmon/hwmon0": { name: "cpu_thermal", temp1_input: "48686" },
  };
  for (const [name, files] of Object.entries(sensors)) {
    const place = join(folder, "sys/class", name);
    await mkdir(place, { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(join(place, file), `${text}\n`);
  }
  port = await startExporter();
});
afterAll(async () => {
  for (const exporter of exporters) {
    exporter.kill("SIGKILL");
    await exporter.exited;
  }
  await rm(folder, { recursive: true });
});

/** Reads on when it knows: who writes to a closed pipe dies. */
function portOf(log: ReadableStream<Uint8Array>): Promise<number> {
  const found = Promise.withResolvers<number>();
  const read = async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of log) {
      text += decoder.decode(chunk, { stream: true });
      const digits = /address=127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (digits !== undefined) found.resolve(Number(digits));
    }
    found.reject(new Error(`node_exporter has ended: ${text}`));
  };
  read().catch(found.reject);
  return found.promise;
}

async function healthOf(at: number = port): Promise<Health> {
  const answer = await answerOf(at);
  if (answer.answer !== "page") throw new Error(answer.why);
  return answer.health;
}

async function answerOf(port: number): Promise<Answer> {
  const at = { address: "127.0.0.1", family: 4, zone: null } as const;
  const said = { serial: null, model: null, role: null, version: null } as const;
  return await ask(
    { instance: null, host: "127.0.0.1", addresses: [at], port, ...said, source: "user" },
    signal,
  );
}

async function get(port: number, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
}

describe("the real node_exporter", () => {
  test("says how this machine is", async () => {
    const health = await healthOf();
    const hostName = (await Bun.file("/proc/sys/kernel/hostname").text()).trim().split(".", 1)[0];
    expect(health).toMatchObject({ temperature: 48.686, fans: [], throttled: null, fanUpdated: null });
    expect(health.hostName?.split(".", 1)[0]).toBe(hostName ?? "");
    expect(health.processors).toBe(navigator.hardwareConcurrency);
    expect(health.memory?.total).toBeGreaterThan(health.memory?.available ?? Infinity);
    expect(health.disk?.size).toBeGreaterThan(0);
    expect(health.load1).toBeGreaterThanOrEqual(0);
    expect(Math.abs((health.now ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    expect(health.bootTime).toBeLessThan(health.now ?? 0);
    expect(health.isClockSynchronised).toBeBoolean();
  });
  test("passes on what the fan daemon writes", async () => {
    const updatedSeconds = Date.now() / 1000;
    const diagnosis = startDiagnosis("fand.toml");
    const settings = composeFand(
      {
        fan: [{ name: "front", sensors: ["cpu", "case"] }],
        sensor: [
          { name: "cpu", type: "cpu-thermal" },
          { name: "case", file: "/nonexistent" },
        ],
      },
      null,
      diagnosis,
    );
    expect(diagnosis.problems).toEqual([]);
    const still = { read: () => ({ kind: "missing", why: "gone" }) as const, dispose: () => undefined };
    const backend = { open: () => undefined, setDuty: () => percent(40), dispose: () => undefined };
    const posts = {
      overrideLimit: settings.limits.override,
      sensors: settings.sensors.map((one) =>
        one.name === "cpu"
          ? { ...sensorPost(one, still), temperature: celsius(61.5) }
          : { ...sensorPost(one, still), doubt: { kind: "missing", found: "gone" } as const },
      ),
      fans: settings.fans.map((fan) => ({
        ...fanPost(fan, backend),
        duty: percent(40),
        rpm: 0,
        turning: { stillSeconds: 20, isStalled: true },
      })),
    };
    const text = renderMetrics(posts, {
      version: "1.2.3",
      intervalSeconds: 1,
      bootedAtSeconds: updatedSeconds - 3600,
      updatedSeconds,
      throttling: [
        { reason: "under-voltage", isNow: true, isSinceBoot: true },
        { reason: "throttled", isNow: false, isSinceBoot: true },
      ],
    });
    await writeFile(join(folder, "textfile/draft"), text);
    await rename(join(folder, "textfile/draft"), join(folder, "textfile/berry.prom"));
    expect(await healthOf()).toMatchObject({
      temperature: 61.5,
      fans: [{ name: "front", dutyRatio: 0.4, rpm: 0, isStalled: true }],
      throttled: ["under-voltage"],
      throttledSinceBoot: ["throttled", "under-voltage"],
      doubtfulSensors: ["case"],
      berryVersion: "1.2.3",
    });
  });
  test("has all that is read on a page of the collectors that are asked for", async () => {
    const [whole, some] = [await get(port, "/metrics"), await get(port, pagePath(healthCollectors))];
    const read = [
      "node_load1",
      "node_memory_MemTotal_bytes",
      "node_memory_MemAvailable_bytes",
      "node_boot_time_seconds",
      "node_time_seconds",
      "node_timex_sync_status",
      "node_filesystem_size_bytes",
      "node_filesystem_avail_bytes",
      "node_filesystem_readonly",
      "node_exporter_build_info",
      "node_thermal_zone_temp",
      "node_hwmon_temp_celsius",
      "node_hwmon_chip_names",
      "node_cpu_seconds_total",
      "node_uname_info",
      "node_textfile_scrape_error",
    ];
    const namesOf = (text: string) => new Set(text.split("\n").map((line) => line.split(/[ {]/, 1)[0]));
    expect(read.filter((name) => !namesOf(whole.text).has(name))).toEqual([]);
    expect(read.filter((name) => !namesOf(some.text).has(name))).toEqual([]);
    expect(some.text.length).toBeLessThan(whole.text.length / 2);
    const collected = [...some.text.matchAll(/^node_scrape_collector_success\{collector="(\w+)"\} 1$/gm)];
    expect(collected.map(([, name]) => name)).toEqual([...healthCollectors]);
  });
  test("refuses a page where some of its collectors are not there, and is asked for the others", async () => {
    const cut = await startExporter("--no-collector.timex", "--no-collector.thermal_zone");
    for (const [collectors, refused] of [
      [healthCollectors, "disabled collector: thermal_zone"],
      [["cpu", "nonsense"], "missing collector: nonsense"],
    ] as const) {
      const { status, text } = await get(cut, pagePath(collectors));
      expect(status).toBe(400);
      expect(text.trimEnd()).toEndWith(refused);
    }
    expect(await healthOf(cut)).toMatchObject({
      processors: navigator.hardwareConcurrency,
      isClockSynchronised: null,
    });
  });
  test("lives without its units, where they are not collected", async () => {
    const cut = await startExporter("--no-collector.systemd");
    expect((await get(cut, pagePath(unitCollectors))).status).toBe(400);
    const answer = await answerOf(cut);
    expect(answer).toMatchObject({ answer: "page", health: { failedUnits: null } });
    expect(answer).not.toHaveProperty("isLate");
  });
});
