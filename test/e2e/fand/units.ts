import { join } from "node:path";

/** A daemon of its own beside others: the shipped unit, and what has to differ from it. */
export interface TestUnit {
  /** Of the unit, its run folder and its configuration. */
  readonly name: string;
  /** Where the kernel sees its fan: a PWM channel, or a GPIO. */
  readonly watched: "pwm" | "gpio";
  readonly number: number;
  /** The fan's table of fand.toml. */
  readonly fan: string;
  /** The daemon with the ways of dying that the shipped one has not. */
  readonly isInjected?: boolean;
}

const daemonScript = "usr/lib/berry-test/daemon.js";

/**
 * The files of units beside each other, but for the units themselves, which are the package's. Paths differ, so that each
 * has a run folder; a start follows a death sooner, but later than full speed has to be there: it is not the next daemon's
 * doing. All else is what is shipped.
 */
export async function filesOfUnits(units: readonly TestUnit[]): Promise<Record<string, string>> {
  const folder = "etc/systemd/system";
  return Object.fromEntries([
    ...units.flatMap((unit) => [
      [`${folder}/berry-${unit.name}.service.d/test.conf`, dropIn(unit)],
      [`etc/berry/${unit.name}.toml`, configOf(unit)],
    ]),
    [daemonScript, await injectedDaemon()],
  ]);
}

export function temperatureFile({ name }: TestUnit): string {
  return `/run/${name}.temperature`;
}

/** No kick, no inertia: what the temperature asks for is there at the next round. */
export function configOf(unit: TestUnit): string {
  return `[[sensor]]
name = "probe"
file = "${temperatureFile(unit)}"

[[fan]]
name = "${unit.name}"
sensors = ["probe"]
${unit.fan}
minimum_on = 0
`;
}

function dropIn({ name, isInjected }: TestUnit): string {
  const program =
    isInjected === true ? `/usr/bin/berry /${daemonScript}` : "/usr/bin/berry fand run --config";
  return `[Service]
RestartSec=2s
RuntimeDirectory=
RuntimeDirectory=berry-${name}
Environment=BERRY_FAND_NOTE=/run/berry-${name}/outputs${isInjected === true ? " BUN_BE_BUN=1" : ""}
ExecStart=
ExecStart=${program} /etc/berry/${name}.toml
`;
}

/** For the JavaScript runtime that is in the shipped binary; it calls that binary to judge the configuration. */
async function injectedDaemon(): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dirname, "injected-daemon.fixture.ts")],
    target: "bun",
    format: "esm",
    define: { BERRY_COMMIT: '"test"', "import.meta.path": '"/$bunfs/root/berry"' },
  });
  const [bundle] = outputs;
  if (bundle === undefined) throw new Error("the daemon was not bundled");
  return await bundle.text();
}
