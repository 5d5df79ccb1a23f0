import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drivePosts } from "../../../src/commands/fand/drive-posts.ts";
import { startDiagnosis } from "../../../src/config/problem.ts";
import { composeFand } from "../../../src/fand/config/compose-fand.ts";
import { fanPost, sensorPost } from "../../../src/fand/daemon/round.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berry-posts-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a fan that does not follow is seen from outside, beside the time of the last round that was whole", async () => {
  const settings = composeFand({}, null, startDiagnosis("fand.toml"));
  const [ended, sent] = [new AbortController(), [] as string[]];
  let now = 0;
  const sensors = settings.sensors.map((one) =>
    sensorPost(one, {
      read: () => ({ kind: "text", text: "48000", isFaulty: false }),
      dispose: () => undefined,
    }),
  );
  const fans = settings.fans.map((fan) =>
    fanPost(fan, {
      open: () => undefined,
      setDuty(duty) {
        if (now >= 7) throw new Error("EIO");
        return duty;
      },
      dispose: () => undefined,
    }),
  );
  const place = {
    roots: { sys: folder, dev: folder, deviceTree: folder, libraries: [] },
    isRoot: true,
    uid: 0,
    runFolder: folder,
    version: "0.1.0",
    notifier: { send: (...words: readonly string[]) => void sent.push(...words) },
    wallSeconds: () => 1_700_000_000 + now,
    bootSeconds: () => now,
    clock: {
      now: () => now,
      async sleep() {
        now += 1;
        if (now === 20) ended.abort();
      },
    },
    load: async () => settings,
    onStop: () => undefined,
    onReload: () => undefined,
  };
  const lines: string[] = [];
  const log = { info: () => undefined, warn: (line: string) => void lines.push(line) };
  const posts = { sensors, fans, overrideLimit: settings.limits.override };
  await drivePosts({ settings, outputs: [], posts }, place, log, ended.signal);
  const text = readFileSync(join(folder, "berry.prom"), "utf8");
  expect(text).toContain('berry_fan_lost{fan="fan"} 1\n');
  expect(text).toContain('berry_fan_errors_total{fan="fan"} 11\n');
  expect(text).toContain("berry_fan_last_update_timestamp_seconds 1700000006\n");
  expect(sent.filter((word) => word === "WATCHDOG=1")).toHaveLength(7);
  expect(sent.at(-1)).toBe("STATUS=cpu 48.0 °C, fan does not follow");
  expect(lines).toEqual(["fan fan does not follow: EIO"]);
});
