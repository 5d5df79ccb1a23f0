import type { FanBackend } from "./fan-backend.ts";
import { gpioBackend } from "./gpio-file.ts";
import { hwmonBackend } from "./hwmon-file.ts";
import type { Output } from "./output.ts";
import { pigpioBackend } from "./pigpio-backend.ts";
import { pwmBackend } from "./pwm-file.ts";

/** The backend of an output, not opened yet. What needs the FFI loads it now. */
export async function backendOf(output: Output): Promise<FanBackend> {
  switch (output.kind) {
    case "hwmon":
      return hwmonBackend(output);
    case "pwm":
      return pwmBackend(output);
    case "gpio": {
      const { openIoctl } = await import("./ioctl-ffi.ts");
      return gpioBackend(output, openIoctl());
    }
    case "pigpio": {
      const { loadPigpio } = await import("./pigpio-addon-ffi.ts");
      loadPigpio(output.library);
      const pigpio = await import("pigpio");
      return pigpioBackend(output, () => pigpio);
    }
  }
}
