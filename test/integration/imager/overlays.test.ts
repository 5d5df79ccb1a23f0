import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fanSteps } from "../../../src/imager/plan/fan-steps.ts";
import { shippedTarget } from "../../../src/imager/targets/targets.ts";
import { mustRun } from "../../fixtures/run.ts";
import { debian, makeFan, makeNode } from "../../unit/imager/plan/cluster-values.ts";

/** The overlays that berry brings, compiled as the plan says and laid over what they find in mainline's device trees. */

const { signal } = new AbortController();
let root: string;
let base: string;

const tree = `/dts-v1/;
/ {
	compatible = "raspberrypi,3-model-b", "brcm,bcm2837";
	soc {
		gpio: gpio@7e200000 {
			#gpio-cells = <2>;
			gpio40: pwm0-gpio40 { brcm,pins = <40>; brcm,function = <4>; };
		};
		pwm: pwm@7e20c000 {
			status = "disabled";
			pinctrl-names = "default";
			pinctrl-0 = <&gpio40>;
		};
	};
	thermal-zones {
		cpu_thermal: cpu-thermal {
			trips { cpu-crit { temperature = <90000>; }; };
			cooling-maps { };
		};
	};
};
`;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "berry-overlays-"));
  base = join(root, "base.dtb");
  await mkdir(join(root, "boot/firmware/overlays"), { recursive: true });
  await mustRun(["dtc", "-@", "-q", "-I", "dts", "-O", "dtb", "-o", base, "-"], { stdin: tree }, signal);
});
afterAll(() => rm(root, { recursive: true }));

/** Reads the device tree with the overlays of a fan; they are as their parameters' defaults make them. */
async function merged(content: Readonly<Record<string, unknown>>) {
  const node = makeNode("pi1", { fan: makeFan(content) });
  const compile = fanSteps(node, shippedTarget(debian).target, root).flatMap((step) =>
    step.do === "run" ? [step] : [],
  );
  expect(compile).toHaveLength(1);
  const [step] = compile;
  if (step?.stdin === undefined) throw new Error("the plan compiles nothing");
  const said = await mustRun(step.argv, { stdin: step.stdin }, signal);
  expect(said).toBe("");
  const overlay = step.argv.at(-2) ?? "";
  const result = join(root, "merged.dtb");
  await mustRun(["fdtoverlay", "-i", base, "-o", result, overlay], {}, signal);
  const get = async (file: string, path: string, property: string, type = "u") =>
    (await mustRun(["fdtget", "-t", type, file, path, property], {}, signal)).trim();
  return {
    tree: (path: string, property: string, type?: string) => get(result, path, property, type),
    /** The parameters that config.txt may set: where each leads to. */
    parameter: async (name: string) => {
      const bytes = (await get(overlay, "/__overrides__", name, "bx")).split(" ").slice(4);
      return String.fromCharCode(...bytes.map((byte) => Number.parseInt(byte, 16))).replaceAll("\0", "");
    },
  };
}

const pins = "/soc/gpio@7e200000/header-pwm";

test("pwm takes the controller away from other pins", async () => {
  const { tree, parameter } = await merged({});
  expect([await tree(pins, "brcm,pins"), await tree(pins, "brcm,function")]).toEqual(["18", "2"]);
  expect(await tree("/soc/pwm@7e20c000", "status", "s")).toBe("okay");
  expect(await tree("/soc/pwm@7e20c000", "pinctrl-0")).toBe(await tree(pins, "phandle"));
  expect([await parameter("pin"), await parameter("func")]).toEqual(["brcm,pins:0", "brcm,function:0"]);
});

test("pwm-2chan has a pin for each channel", async () => {
  const { tree, parameter } = await merged({ fan: [{ pin: 12 }, { pin: 13 }] });
  expect([await tree(pins, "brcm,pins"), await tree(pins, "brcm,function")]).toEqual(["18 19", "2 2"]);
  expect(await tree("/soc/pwm@7e20c000", "pinctrl-0")).toBe(await tree(pins, "phandle"));
  expect(await Promise.all(["pin", "pin2", "func", "func2"].map(parameter))).toEqual([
    "brcm,pins:0",
    "brcm,pins:4",
    "brcm,function:0",
    "brcm,function:4",
  ]);
});

test("gpio-fan is a fan of the kernel's, which its thermal zone switches on", async () => {
  const { tree, parameter } = await merged({ mode: "on-off", pin: 4 });
  const zone = "/thermal-zones/cpu-thermal";
  const gpio = await tree("/soc/gpio@7e200000", "phandle");
  expect(await tree("/gpio-fan", "compatible", "s")).toBe("gpio-fan");
  expect(await tree("/gpio-fan", "gpios")).toBe(`${gpio} 12 0`);
  expect(await tree(`${zone}/cooling-maps/header-fan`, "trip")).toBe(
    await tree(`${zone}/trips/header-fan`, "phandle"),
  );
  expect(await tree(`${zone}/cooling-maps/header-fan`, "cooling-device")).toBe(
    `${await tree("/gpio-fan", "phandle")} 1 1`,
  );
  expect(await tree(`${zone}/trips/cpu-crit`, "temperature")).toBe("90000");
  expect([await parameter("gpiopin"), await parameter("temp")]).toEqual(["gpios:4", "temperature:0"]);
});
