import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cpuSensor, type SensorSource } from "../../../../src/fand/config/settings.ts";
import { openSensor } from "../../../../src/fand/sensors/sensor-file.ts";

let sys = "";
beforeEach(async () => {
  sys = await mkdtemp(join(tmpdir(), "berry-sys-"));
  await put({
    "class/thermal/thermal_zone0/type": "gpu-thermal\n",
    "class/thermal/thermal_zone0/temp": "61000\n",
    "class/thermal/thermal_zone10/type": "cpu-thermal\n",
    "class/thermal/thermal_zone10/temp": "48686\n",
    "class/hwmon/hwmon0/name": "cpu_thermal\n",
    "class/hwmon/hwmon0/temp1_input": "48686\n",
    "class/hwmon/hwmon3/name": "lm75\n",
    "class/hwmon/hwmon3/temp2_input": "22000\n",
    "class/hwmon/hwmon3/temp10_input": "33000\n",
    "class/hwmon/hwmon3/temp10_label": "outlet\n",
    "class/hwmon/hwmon3/temp10_fault": "0\n",
  });
});
afterEach(() => rm(sys, { recursive: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(sys, path)), { recursive: true });
    await writeFile(join(sys, path), text);
  }
}
const open = (source: SensorSource) => openSensor({ ...cpuSensor, source }, sys);
const text = (value: string, isFaulty = false) => ({ kind: "text", text: value, isFaulty }) as const;

describe("a sensor", () => {
  test("is a thermal zone by its type, whatever its number", () => {
    const sensor = open({ kind: "thermal", type: "cpu-thermal" });
    expect(sensor.read()).toEqual(text("48686\n"));
    sensor.dispose();
    expect(open({ kind: "thermal", type: "cpu_thermal" }).read()).toEqual(text("48686\n"));
  });
  test("is a chip by its name, and one of its temperatures by label or number", () => {
    expect(open({ kind: "hwmon", chip: "lm75", label: null }).read()).toEqual(text("22000\n"));
    expect(open({ kind: "hwmon", chip: "lm75", label: "outlet" }).read()).toEqual(text("33000\n"));
    expect(open({ kind: "hwmon", chip: "lm75", label: "temp10" }).read()).toEqual(text("33000\n"));
  });
  test("tells its fault flag", async () => {
    const sensor = open({ kind: "hwmon", chip: "lm75", label: "outlet" });
    expect(sensor.read()).toEqual(text("33000\n"));
    await put({ "class/hwmon/hwmon3/temp10_fault": "1\n" });
    expect(sensor.read()).toEqual(text("33000\n", true));
  });
  test("is read anew each time", async () => {
    const sensor = open({ kind: "thermal", type: "cpu-thermal" });
    sensor.read();
    await put({ "class/thermal/thermal_zone10/temp": "9000\n" });
    expect(sensor.read()).toEqual(text("9000\n"));
  });
  test("says what there is instead of what is not there", () => {
    expect(open({ kind: "thermal", type: "soc" }).read()).toEqual({
      kind: "missing",
      why: "no thermal zone of type soc: there is gpu-thermal, cpu-thermal",
    });
    expect(open({ kind: "hwmon", chip: "x", label: null }).read()).toMatchObject({
      why: "no hwmon chip x: there is cpu_thermal, lm75",
    });
    expect(open({ kind: "hwmon", chip: "lm75", label: "inlet" }).read()).toMatchObject({
      why: "no hwmon chip lm75, inlet: there is temp2, outlet",
    });
    expect(openSensor(cpuSensor, join(sys, "none")).read()).toMatchObject({
      why: "no thermal zone of type cpu-thermal: there is none at all",
    });
  });
  test("that comes back is found under its new number", async () => {
    const sensor = open({ kind: "hwmon", chip: "lm75", label: null });
    await rename(join(sys, "class/hwmon/hwmon3"), join(sys, "gone"));
    expect(sensor.read().kind).toBe("missing");
    await rename(join(sys, "gone"), join(sys, "class/hwmon/hwmon7"));
    expect(sensor.read()).toEqual(text("22000\n"));
  });
  test("that is a plain file may be replaced, removed and written again", async () => {
    const path = join(sys, "temperature");
    const sensor = open({ kind: "file", path });
    expect(sensor.read()).toMatchObject({ kind: "missing" });
    await put({ temperature: "50000", "temperature.new": "60000" });
    expect(sensor.read()).toEqual(text("50000"));
    await rename(`${path}.new`, path);
    expect(sensor.read()).toEqual(text("60000"));
    await rm(path);
    expect(sensor.read()).toMatchObject({ kind: "missing" });
    await mkdir(path);
    expect(sensor.read()).toMatchObject({ kind: "unreadable" });
  });
  test("that cannot be read leaves no file open", () => {
    const sensor = open({ kind: "file", path: join(sys, "class") });
    const before = openFiles();
    for (let index = 0; index < 50; index += 1) sensor.read();
    expect(openFiles()).toBe(before);
  });
});

const openFiles = () => readdirSync("/proc/self/fd").length;
