import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandRunner } from "../../src/system/command-runner.ts";
import { unitEnvironment } from "../../test/fixtures/fand-place.ts";
import { mustRun, plainEnvironment } from "../../test/fixtures/run.ts";

/** A program that looks at a temperature once a second. */
export interface Side {
  /** The head of its column. */
  readonly name: string;
  /** Whether there is a board whose fan it drives. */
  readonly drives: boolean;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const temperature = "/sys/class/thermal/thermal_zone0/temp";
const pwm = "/sys/class/hwmon/hwmon2/pwm1";

/** The compiled daemon as systemd/berry-fand.service starts it. @param socket what it takes for that of systemd */
export async function berrySide(binary: string, folder: string, socket: string): Promise<Side> {
  const config = join(folder, "fand.toml");
  await writeFile(config, 'interval = "1s"\n');
  return {
    name: "berry",
    drives: true,
    argv: [binary, "fand", "run", "--config", config],
    env: { ...(await unitEnvironment()), NOTIFY_SOCKET: socket },
  };
}

/** lm-sensors' script. It needs no more: no tachometer, which would cost it a few processes a round. */
export async function fancontrolSide(folder: string): Promise<Side> {
  const config = join(folder, "fancontrol");
  const settings = {
    INTERVAL: "1",
    FCTEMPS: `${pwm}=${temperature}`,
    MINTEMP: `${pwm}=45`,
    MAXTEMP: `${pwm}=72`,
    MINSTART: `${pwm}=150`,
    MINSTOP: `${pwm}=77`,
  };
  await writeFile(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  return { name: "fancontrol", drives: true, argv: ["fancontrol", config], env: {} };
}

export function pythonSide(): Side {
  const script = join(import.meta.dirname, "fand-loop.py");
  return { name: "Python loop", drives: true, argv: ["python3", script, temperature, pwm], env: {} };
}

/**
 * Debian has no fan daemon in Go. What reads the same files there, and drives nothing, is node_exporter, asked once a
 * second for nothing but temperatures. It is unpacked, not installed: as a service it would listen to the network.
 * @returns null: not to be had here
 */
export async function goSide(folder: string, signal: AbortSignal): Promise<Side | null> {
  const installed = Bun.which("prometheus-node-exporter") ?? Bun.which("node_exporter");
  const program = installed ?? (await unpacked(join(folder, "go"), signal));
  if (program === null) return null;
  return {
    name: "node_exporter (Go)",
    drives: false,
    argv: [
      program,
      "--web.listen-address=127.0.0.1:0",
      "--web.disable-exporter-metrics",
      "--collector.disable-defaults",
      "--collector.thermal_zone",
    ],
    env: {},
  };
}

/** @param log what node_exporter has said @throws Error where it does not tell a temperature */
export async function askExporter(log: string, signal: AbortSignal): Promise<void> {
  const address = /address=(127\.0\.0\.1:\d+)/.exec(log)?.[1];
  if (address === undefined) throw new Error(`node_exporter listens nowhere:\n${log}`);
  const text = await (await fetch(`http://${address}/metrics`, { signal })).text();
  if (!/^node_thermal_zone_temp\{.*\} \d/m.test(text))
    throw new Error(`node_exporter tells no temperature:\n${text}`);
}

async function unpacked(folder: string, signal: AbortSignal): Promise<string | null> {
  if (Bun.which("apt-get") === null) return null;
  await mkdir(folder);
  const { exitCode } = await commandRunner.run(
    ["sh", "-c", "apt-get download --quiet=2 prometheus-node-exporter && dpkg-deb --extract ./*.deb ."],
    { cwd: folder, env: plainEnvironment("/root") },
    signal,
  );
  return exitCode === 0 ? join(folder, "usr/bin/prometheus-node-exporter") : null;
}

/** How a side is called by its own users, for the table. */
export async function describeSides(signal: AbortSignal): Promise<string> {
  const python = await mustRun(["python3", "--version"], {}, signal);
  return `fancontrol of lm-sensors, ${python.trim()}`;
}
