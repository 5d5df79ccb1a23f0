import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { dlopen } from "bun:ffi";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendOf } from "../../../../src/fand/backends/open-backend-file.ts";
import { loadPigpio } from "../../../../src/fand/backends/pigpio-addon-ffi.ts";
import { percent } from "../../../../src/fand/units.ts";

/** A libpigpio that does nothing and writes down what it was asked for. */
const recording = `
#include <stdio.h>
#include <string.h>
static char record[4096];
static unsigned duty;
const char *recorded(void) { return record; }
static int note(const char *name, unsigned a, unsigned b, unsigned c) {
  char line[96]; snprintf(line, sizeof line, "%s %u %u %u;", name, a, b, c); strncat(record, line, sizeof record - strlen(record) - 1); return 0;
}
#define ONE(f) int f(unsigned a) { return note(#f, a, 0, 0); }
#define TWO(f) int f(unsigned a, unsigned b) { return note(#f, a, b, 0); }
ONE(gpioCfgInterfaces) ONE(gpioCfgSetInternals) ONE(gpioGetMode) ONE(gpioGetPWMfrequency) ONE(gpioGetPWMrange)
ONE(gpioGetPWMrealRange) ONE(gpioGetServoPulsewidth) ONE(gpioRead)
TWO(gpioSetMode) TWO(gpioSetPullUpDown) TWO(gpioSetPWMfrequency) TWO(gpioSetPWMrange) TWO(gpioServo) TWO(gpioWrite)
int gpioPWM(unsigned a, unsigned b) { duty = b; return a > 31 ? -2 : note("gpioPWM", a, b, 0); }
int gpioHardwarePWM(unsigned a, unsigned b, unsigned c) { duty = c; return note("gpioHardwarePWM", a, b, c); }
int gpioGetPWMdutycycle(unsigned a) { return (int)duty; }
int gpioCfgClock(unsigned a, unsigned b, unsigned c) { return note("gpioCfgClock", a, b, c); }
int gpioHardwareRevision(void) { return 0; }
int gpioInitialise(void) { return note("gpioInitialise", 0, 0, 0); }
void gpioTerminate(void) { note("gpioTerminate", 0, 0, 0); }
`;
const compiler = Bun.which("cc");
let folder = "";
let library = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-pigpio-"));
  library = join(folder, "libpigpio.so.1");
  await writeFile(join(folder, "pigpio.c"), recording);
  if (compiler !== null)
    Bun.spawnSync([compiler, "-shared", "-fPIC", "-w", "-o", library, join(folder, "pigpio.c")]);
});
afterAll(() => rm(folder, { recursive: true }));

describe("the npm package on libpigpio", () => {
  test.if(compiler !== null)("drives a pin without the library's signal handlers and sockets", async () => {
    const backend = await backendOf({
      kind: "pigpio",
      library,
      label: "pinctrl-bcm2835",
      pin: 18,
      mode: "pwm",
      frequencyHz: 25_000,
      range: 255,
      isInverted: false,
    });
    backend.open();
    expect(backend.setDuty(percent(40))).toBe(percent(40));
    backend.dispose();
    const { symbols } = dlopen(library, { recorded: { args: [], returns: "cstring" } });
    expect(String(symbols.recorded()).split(";")).toEqual([
      "gpioCfgSetInternals 1024 0 0",
      "gpioCfgInterfaces 3 0 0",
      "gpioInitialise 0 0 0",
      "gpioHardwarePWM 18 25000 1000000",
      "gpioHardwarePWM 18 25000 400000",
      "gpioWrite 18 1 0",
      "gpioSetMode 18 1 0",
      "gpioWrite 18 1 0",
      "gpioTerminate 0 0 0",
      "",
    ]);
  });
  test("says so where the library is not there", () => {
    const nowhere = join(folder, "none.so.1");
    expect(() => loadPigpio(nowhere)).toThrow(`${nowhere}: cannot be loaded`);
  });
});
