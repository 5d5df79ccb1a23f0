import type { Output } from "./output.ts";

/**
 * What full speed means for an output, for a shell that knows nothing else: lines of `try VALUE PATH`, which
 * may fail, `write VALUE PATH`, which may not, and `gpio LABEL LINE high|low`, in this order.
 * `systemd/berry-fand-failsafe.sh` reads them.
 */
export function fullSpeedOf(output: Output): readonly string[] {
  switch (output.kind) {
    case "hwmon":
      return [
        ...(output.enable === null ? [] : [`try 1 ${output.enable}`]),
        `write ${output.isInverted ? 0 : output.range} ${output.pwm}`,
      ];
    case "pwm": {
      const folder = `${output.chip}/pwm${output.channel}`;
      const period = output.periodNanoseconds;
      const duty = `${output.isInverted ? 0 : period} ${folder}/duty_cycle`;
      // the kernel refuses a period below the duty, and a duty above the period: one of the two comes first
      return [
        `try ${output.channel} ${output.chip}/export`,
        `try ${duty}`,
        `try ${period} ${folder}/period`,
        `write ${duty}`,
        `write 1 ${folder}/enable`,
      ];
    }
    case "gpio":
      return [`gpio ${output.label} ${output.line} ${output.isInverted ? "low" : "high"}`];
    case "pigpio":
      return [`gpio ${output.label} ${output.pin} ${output.isInverted ? "low" : "high"}`];
  }
}

/** The note that is written before an output is taken. Its last line tells a whole one from one that was cut off. */
export function renderNote(outputs: readonly Output[]): string {
  const lines = [
    "# what full speed is for the fans that berry has taken",
    ...outputs.flatMap(fullSpeedOf),
    "# end",
  ];
  return lines.map((line) => `${line}\n`).join("");
}
