import type { FailureKind } from "../../core/errors.ts";
import type { Machine } from "../backends/machine.ts";
import type { FandSettings } from "../config/settings.ts";
import type { InspectedSensor } from "../inspect-file.ts";
import type { ConfigTxtLine } from "./config-txt.ts";

/** All that the doctor judges by: collected once, by `collect-doctor-file.ts`. */
export interface DoctorFacts {
  readonly isRoot: boolean;
  readonly machine: Machine;
  readonly configuration: ConfigurationFacts;
  /** Empty where the configuration cannot be used. */
  readonly sensors: readonly InspectedSensor[];
  readonly boot: BootFacts;
  readonly pins: readonly PinFacts[];
  /** Whether the kernel has a sound card on the jack, which is PWM. */
  readonly hasJack: boolean;
  readonly service: ServiceFacts;
  /** Path of the script that raises fans when the daemon is dead. */
  readonly failsafe: { readonly path: string; readonly isExecutable: boolean };
  /** Other programs that drive fans or take pins, by the name of their unit or process. */
  readonly others: readonly string[];
  /** null: none runs. */
  readonly nodeExporter: { readonly textfileFolders: readonly string[] } | null;
  /** Where the daemon writes its metrics. */
  readonly runFolder: string;
  /** Of the machine. */
  readonly watchdog: { readonly isThere: boolean; readonly isUsed: boolean | null };
}

export interface ConfigurationFacts {
  /** null: there is none. */
  readonly file: string | null;
  /** null: it cannot be used. */
  readonly settings: FandSettings | null;
  /** Each with what mends it. */
  readonly problems: readonly {
    readonly kind: FailureKind;
    readonly what: string;
    readonly remedy: string;
  }[];
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
}

export interface BootFacts {
  /** null: no config.txt was found. */
  readonly configTxt: {
    readonly path: string;
    readonly lines: readonly ConfigTxtLine[];
    /** It was changed since the machine was started; null: nobody knows. */
    readonly isNewerThanBoot: boolean | null;
  } | null;
  /** The file that this distribution makes config.txt from, with every new kernel; null: it does not. */
  readonly madeFrom: string | null;
  /** Names of the overlays beside config.txt; null: there are none. */
  readonly overlays: readonly string[] | null;
  /** Without its labels, the firmware cannot apply an overlay to a device tree. */
  readonly hasSymbols: boolean;
  /** The device tree knows the Pi 5's fan connector, switched on or not: mainline's does not. */
  readonly hasCoolingFan: boolean;
  /** What the nodes of the device tree that are switched on are compatible with, at its root and in `soc`. */
  readonly devices: readonly string[];
  /** U-Boot came between the firmware and the kernel, maybe with a device tree of its own. */
  readonly isUBoot: boolean;
}

export interface PinFacts {
  readonly pin: number;
  /** Who asked for it as a GPIO, such as `spi0 CS0`; null: nobody. */
  readonly consumer: string | null;
  /** The device that it is routed to, such as `fe20c000.pwm`; null: none, or not known. */
  readonly device: string | null;
}

export type ServiceFacts =
  | { readonly kind: "no-systemd" }
  /** systemctl did not answer. */
  | { readonly kind: "silent" }
  | {
      readonly kind: "unit";
      /** As systemd names them: `loaded`, `not-found`, `masked` … */
      readonly load: string;
      /** `enabled`, `disabled`, `static` … */
      readonly file: string;
      /** `active`, `inactive`, `failed`, `activating` … */
      readonly active: string;
    };

/** What the daemon calls itself where it asks for a line. */
export const ownConsumer = "berry fand";
