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
import type { Answer, Health } from "../../../src/probe/health.ts";

const { signal } = new AbortController();
let folder = "";
let port = 0;
let exporter: Bun.Subprocess<"ignore", "ignore", "pipe"> | null = null;

/** The real one, of the distribution, with the thermal zone of a Pi and the folder that the fan daemon writes to. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-exporter-"));
  const zone = join(folder, "sys/class/thermal/thermal_zone0");
  await mkdir(zone, { recursive: true });
  await mkdir(join(folder, "textfile"));
  for (const [name, text] of Object.entries({ type: "cpu-thermal", temp: "48686", policy: "step_wise" }))
    await writeFile(join(zone, name), `${text}\n`);
  exporter = Bun.spawn(
    [
      "prometheus-node-exporter",
      "--web.listen-address=127.0.0.1:0",
      `--path.sysfs=${join(folder, "sys")}`,
      `--collector.textfile.directory=${join(folder, "textfile")}`,
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  port = await portOf(exporter.stderr);
});
afterAll(async () => {
  exporter?.kill("SIGKILL");
  await exporter?.exited;
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

async function healthOf(): Promise<Health> {
  const at = { address: "127.0.0.1", family: 4, zone: null } as const;
  const said = { serial: null, model: null, role: null, version: null } as const;
  const answer: Answer = await ask(
    { instance: null, host: "127.0.0.1", addresses: [at], port, ...said, source: "user" },
    signal,
  );
  if (answer.answer !== "page") throw new Error(answer.why);
  return answer.health;
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
});
