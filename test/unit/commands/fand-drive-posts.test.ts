import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Place } from "../../../src/commands/fand/drive.ts";
import { drivePosts } from "../../../src/commands/fand/drive-posts.ts";
import { startDiagnosis } from "../../../src/config/problem.ts";
import { composeFand } from "../../../src/fand/config/compose-fand.ts";
import { BerryError } from "../../../src/core/errors.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { fanPost, sensorPost } from "../../../src/fand/daemon/round.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berry-posts-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Twenty rounds of a second each. @param at what happens before the round of a second */
async function driveOn(at: (second: number) => void, change: Partial<Pick<Place, "keepClaim">> = {}) {
  writeFileSync(join(folder, "outputs"), "# a note\n");
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
        at(now);
        return duty;
      },
      dispose: () => undefined,
    }),
  );
  const place: Place = {
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
    keepClaim: () => undefined,
    onStop: () => undefined,
    onReload: () => undefined,
    ...change,
  };
  const lines: string[] = [];
  const log = {
    info: (line: string) => void lines.push(line),
    warn: (line: string) => void lines.push(`! ${line}`),
  };
  const posts = { sensors, fans, overrideLimit: settings.limits.override };
  await drivePosts({ settings, outputs: [], posts }, place, log, ended.signal);
  return {
    text: readFileSync(join(folder, "berry.prom"), "utf8"),
    sent,
    lines: lines.filter((line) => !line.includes("→")),
  };
}

test("a fan that does not follow is seen from outside, beside the time of the last round that was whole", async () => {
  const { text, sent, lines } = await driveOn((second) => {
    if (second >= 7) throw new Error("EIO");
  });
  expect(text).toContain('berry_fan_lost{fan="fan"} 1\n');
  expect(text).toContain('berry_fan_errors_total{fan="fan"} 11\n');
  expect(text).toContain("berry_fan_last_update_timestamp_seconds 1700000006\n");
  expect(sent.filter((word) => word === "WATCHDOG=1")).toHaveLength(7);
  expect(sent.at(-1)).toBe("STATUS=cpu 48.0 °C, fan does not follow");
  expect(lines).toEqual(["! fan fan does not follow: EIO"]);
});

test("the note comes back when somebody removes it", async () => {
  const { lines } = await driveOn((second) => {
    if (second === 3) rmSync(join(folder, "outputs"));
  });
  expect(readFileSync(join(folder, "outputs"), "utf8")).toEndWith("# end\n");
  expect(lines).toEqual([`! ${folder}/outputs was gone, and is there again`]);
});

test("metrics that cannot be written are told of once, and once more when they can; rounds go on", async () => {
  const path = join(folder, "berry.prom");
  const { text, sent, lines } = await driveOn((second) => {
    if (second === 1) {
      rmSync(path);
      mkdirSync(path);
    }
    if (second === 14) rmdirSync(path);
  });
  expect(lines).toEqual([
    `! metrics stay as they were, and the fans are driven on: ${path}: something else is in its place: EISDIR`,
    `${folder}: metrics are written again`,
  ]);
  expect(text).toContain("berry_fan_last_update_timestamp_seconds 1700000015\n");
  expect(sent.filter((word) => word === "WATCHDOG=1")).toHaveLength(20);
  expect(existsSync(`${path}.next`)).toBe(false);
});

test("ends when another process has taken the fans since their lock was removed", async () => {
  const taken = new BerryError("temporary", "process 7 drives the fans of this machine already");
  let looks = 0;
  const keepClaim = () => {
    looks += 1;
    if (looks === 3) throw taken;
  };
  expect(await failureOf(driveOn(() => undefined, { keepClaim }))).toBe(taken);
});
