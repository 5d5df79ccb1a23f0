import { constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatProblem } from "../../config/problem.ts";
import { BerryError } from "../../core/errors.ts";
import { collectMachine, mayAccess, type Roots } from "../backends/collect-machine-file.ts";
import type { Ioctl } from "../backends/gpio-file.ts";
import { examineFand } from "../config/fand-load.ts";
import type { FandSettings } from "../config/settings.ts";
import { inspect } from "../inspect-file.ts";
import { collectBoot } from "./boot-file.ts";
import type { ConfigurationFacts, DoctorFacts, ServiceFacts } from "./facts.ts";
import { collectPins } from "./pins-file.ts";
import { commandLines, exporterFolders, rivalsAmong } from "./processes-file.ts";

/** Where everything is; other folders in tests. */
export interface DoctorRoots extends Roots {
  readonly proc: string;
  /** Where the boot partition may be mounted, the likeliest first. */
  readonly boot: readonly string[];
  /** It is there where systemd runs (sd_booted(3)). */
  readonly systemd: string;
  /** The script that the unit runs when the daemon has ended. */
  readonly failsafe: string;
  readonly runFolder: string;
}

export interface DoctorPorts {
  readonly uid: number;
  /** What `systemctl` prints; null: it is not there, or did not answer in time. */
  systemctl(words: readonly string[]): Promise<string | null>;
  /** null: nobody can be asked for lines of GPIO chips. */
  readonly ioctl: Ioctl | null;
}

/**
 * Looks at everything that berry fand needs. Touches nothing; what cannot be read is not known.
 * @param file the configuration; null: that of this machine
 */
export async function collectDoctorFacts(
  roots: DoctorRoots,
  file: string | null,
  ports: DoctorPorts,
  candidates?: readonly string[],
): Promise<DoctorFacts> {
  const isRoot = ports.uid === 0;
  const machine = collectMachine(roots, isRoot);
  const configuration = await collectConfiguration(file, ports.uid, candidates);
  const { settings } = configuration;
  const lines = commandLines(roots.proc);
  const hasSystemd = existsSync(roots.systemd);
  return {
    isRoot,
    machine,
    configuration,
    sensors: settings === null ? [] : inspect(settings, roots, isRoot).sensors,
    boot: collectBoot(roots, machine.model),
    pins: collectPins(pinsOf(settings), machine.gpio[0], ports.ioctl, roots.sys),
    hasJack: hasJack(roots.proc),
    service: hasSystemd ? await collectService(ports) : { kind: "no-systemd" },
    failsafe: { path: roots.failsafe, isExecutable: mayAccess(roots.failsafe, constants.X_OK) },
    others: rivalsAmong(lines, hasSystemd ? await activeUnits(ports) : []),
    nodeExporter: exporterOf(exporterFolders(lines)),
    runFolder: roots.runFolder,
    watchdog: {
      isThere: existsSync(join(roots.dev, "watchdog0")) || existsSync(join(roots.dev, "watchdog")),
      isUsed: hasSystemd ? await isWatchdogUsed(ports) : null,
    },
  };
}

async function collectConfiguration(
  file: string | null,
  uid: number,
  candidates: readonly string[] | undefined,
): Promise<ConfigurationFacts> {
  try {
    const report = await examineFand(file, uid, candidates);
    return {
      file: report.file,
      settings: report.settings,
      problems: report.problems.map((one) => ({
        kind: "config",
        what: formatProblem(one).slice(0, -`; ${one.remedy}`.length),
        remedy: one.remedy,
      })),
      warnings: report.warnings.map(({ file: where, key, message, hint }) => ({
        message: `${where}: ${key}: ${message}`,
        hint,
      })),
    };
  } catch (thrown) {
    if (!(thrown instanceof BerryError)) throw thrown;
    const { kind, message, hint = "berry fand check says more" } = thrown;
    return { file, settings: null, problems: [{ kind, what: message, remedy: hint }], warnings: [] };
  }
}

function pinsOf(settings: FandSettings | null): readonly number[] {
  return (settings?.fans ?? []).map(({ pin }) => pin).filter((pin) => pin !== null);
}

/** The firmware's card has a device for the jack, of which older kernels made one card with that of HDMI. */
function hasJack(proc: string): boolean {
  try {
    return /bcm2835[ _-](?:Headphones|ALSA)/i.test(readFileSync(join(proc, "asound/cards"), "utf8"));
  } catch {
    return false;
  }
}

async function collectService({ systemctl }: DoctorPorts): Promise<ServiceFacts> {
  const text = await systemctl([
    "show",
    "berry-fand.service",
    "--property=LoadState,UnitFileState,ActiveState",
  ]);
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text ?? "")?.[1];
  const [load, file = "", active = ""] = ["LoadState", "UnitFileState", "ActiveState"].map(value);
  return load === undefined ? { kind: "silent" } : { kind: "unit", load, file, active };
}

async function activeUnits({ systemctl }: DoctorPorts): Promise<readonly string[]> {
  const text = await systemctl(["list-units", "--type=service", "--state=active", "--plain", "--no-legend"]);
  return (text ?? "").split("\n").map((line) => line.trim().split(/\.service\s/, 1)[0] ?? "");
}

async function isWatchdogUsed({ systemctl }: DoctorPorts): Promise<boolean | null> {
  const value = (await systemctl(["show", "--property=RuntimeWatchdogUSec", "--value"]))?.trim();
  return value === undefined || value === "" ? null : value !== "0" && value !== "infinity";
}

function exporterOf(textfileFolders: readonly string[] | null): DoctorFacts["nodeExporter"] {
  return textfileFolders === null ? null : { textfileFolders };
}
