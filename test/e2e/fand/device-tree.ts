import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "../../fixtures/run.ts";

/** BCM numbers of what hangs on the emulated Pi's header. */
export const pins = {
  /** A pwm-fan of the kernel's, on channel 0. */
  pwmFan: 18,
  /** Channel 1, which nobody has. */
  pwm: 19,
  /** gpio-fans of the kernel's. */
  gpioFans: [20, 21],
  /** Pins that nobody has. */
  free: [22, 23],
} as const;

const overlay = `/dts-v1/;
/plugin/;
/* the port is the test's */
&bt { status = "disabled"; };
&pwm { pinctrl-0 = <&pwm0_gpio18 &pwm1_gpio19>; };
&{/} {
  pwm-fan {
    compatible = "pwm-fan";
    pwms = <&pwm 0 40000 0>;
    cooling-levels = <0 255>;
    #cooling-cells = <2>;
  };
${pins.gpioFans
  .map(
    (pin) => `  gpio-fan-${pin} {
    compatible = "gpio-fan";
    gpios = <&gpio ${pin} 0>;
    gpio-fan,speed-map = <0 0>, <5000 1>;
    #cooling-cells = <2>;
  };`,
  )
  .join("\n")}
};
`;

/** The device tree of a Pi 3 with fans, by the device tree compiler. @returns its path in `folder` */
export async function treeWithFans(base: string, folder: string, signal: AbortSignal): Promise<string> {
  const [source, compiled, tree] = ["fans.dtso", "fans.dtbo", "fans.dtb"].map((name) => join(folder, name));
  await writeFile(source ?? "", overlay);
  await mustRun(
    ["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", compiled ?? "", source ?? ""],
    {},
    signal,
  );
  await mustRun(["fdtoverlay", "-i", base, "-o", tree ?? "", compiled ?? ""], {}, signal);
  return tree ?? "";
}
