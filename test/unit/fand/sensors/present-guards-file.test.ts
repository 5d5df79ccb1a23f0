import { afterEach, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startDiagnosis } from "../../../../src/config/problem.ts";
import { composeFand } from "../../../../src/fand/config/compose-fand.ts";
import { withPresentGuards } from "../../../../src/fand/sensors/present-guards-file.ts";
import { type FakeBoard, fakeBoard } from "../../../fixtures/fand-boards.ts";

let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});

const settingsOf = (toml: string) =>
  composeFand(Bun.TOML.parse(toml) as Record<string, unknown>, null, startDiagnosis("fand.toml"));
const disk = '[[sensor]]\nname = "disk"\nfile = "/run/disk"\n';
const explicit = settingsOf(`sensors = "disk"\n${disk}`);
const names = ({ sensors, fans }: typeof explicit) => ({
  sensors: sensors.map(({ name }) => name),
  guards: fans.flatMap(({ guards }) => guards),
});
const whole = { sensors: ["disk", "cpu"], guards: ["cpu"] };

describe("the Pi's own sensor as a guard", () => {
  test("stays where it is, and where the device tree tells of it", async () => {
    board = await fakeBoard("pi-4");
    expect(names(withPresentGuards(explicit, board.roots, null))).toEqual(whole);
    const blind = { ...board.roots, sys: join(board.folder, "nowhere") };
    await board.put({ "proc/device-tree/thermal-zones/cpu-thermal/phandle": "" });
    expect(
      names(
        withPresentGuards(explicit, { ...blind, deviceTree: join(board.folder, "proc/device-tree") }, null),
      ),
    ).toEqual(whole);
  });
  test("is none on a machine that never had it, and stays one where it was there before", () => {
    const nowhere = { sys: "/nonexistent", deviceTree: "/nonexistent" };
    const without = withPresentGuards(explicit, nowhere, null);
    expect(names(without)).toEqual({ sensors: ["disk"], guards: [] });
    expect(names(withPresentGuards(explicit, nowhere, without))).toEqual({ sensors: ["disk"], guards: [] });
    expect(names(withPresentGuards(explicit, nowhere, explicit))).toEqual(whole);
  });
  test("is missing for a fan that follows it, wherever that is", () => {
    const nowhere = { sys: "/nonexistent", deviceTree: "/nonexistent" };
    expect(names(withPresentGuards(settingsOf(disk), nowhere, null)).sensors).toEqual(["disk", "cpu"]);
  });
});
