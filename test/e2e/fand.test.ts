import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Death, hangs, planOfDeaths, readDeaths, tellDeaths } from "./fand/deaths.ts";
import { units } from "./fand/fleet.ts";
import { type InstalledGuest, installGuest } from "./fand/installed-guest.ts";
import { type FandMachine, startFandMachine } from "./fand/machine.ts";
import { livePackage, type PackageLife } from "./fand/package-life.ts";
import { configOf, filesOfUnits, temperatureFile, type TestUnit } from "./fand/units.ts";

/**
 * The daemon on an emulated Pi with the kernel's own drivers and systemd. What a fan does is what the PWM core and the
 * GPIO registers say. The clock is the guest's, which counts instructions: a nanosecond each, of all processors together.
 */

const patience = { timeout: 1_200_000 };
const all: readonly TestUnit[] = Object.values(units);
const watchdogMilliseconds = 10_000;

const cleanUp = new AsyncDisposableStack();
const ended = new AbortController();
let guest: InstalledGuest;
let machine: FandMachine;
let firstDeaths: Promise<readonly Death[]>;
/** Of one whose kernel keeps the outputs of those that have ended, and whose berry was enabled before it started. */
let lastMachine: Promise<{ readonly life: PackageLife; readonly keptPin: string }>;
let hasFailed = true;

beforeAll(async () => {
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(3_000_000)]);
  guest = cleanUp.use(await installGuest(await filesOfUnits(all), signal));
  const { archive, enabled } = guest;
  const keepsOutputs = "pinctrl-bcm2835.persist_gpio_outputs=1";
  // each machine keeps a processor busy, an idle one too: beside the first, there is one at a time, no longer than need be
  firstDeaths = (async () => {
    await using on = await startFandMachine(guest, [archive], [], signal);
    return await dieOn(on, [units.kernelPwm, units.kernelGpio]);
  })();
  lastMachine = firstDeaths.then(async () => {
    await using on = await startFandMachine(guest, [archive, enabled], [keepsOutputs], signal);
    const life = await livePackage(on, (speed) => watch(units.kernelPwm, speed));
    return { life, keptPin: await killAlone(on) };
  });
  const aside = Promise.allSettled([firstDeaths, lastMachine]);
  cleanUp.defer(async () => {
    ended.abort();
    await aside;
  });
  machine = cleanUp.use(await startFandMachine(guest, [archive], [], signal));
}, patience.timeout);

afterAll(async () => {
  await using _machines = cleanUp;
  if (hasFailed) console.error(await machine.lastWords());
}, patience.timeout);

const watch = ({ watched, number }: TestUnit, speed: number): string =>
  `perl /usr/lib/berry-test/watch.pl ${watched} ${number} ${speed} 15`;
const heat = (unit: TestUnit, degrees: number): string => `echo ${degrees * 1000} >${temperatureFile(unit)}`;
const logOf = (unit: string): string => `journalctl -b -o cat --no-pager -u ${unit}`;

/** Daemons on a cool machine. */
async function start(on: FandMachine, which: readonly TestUnit[]): Promise<void> {
  const names = which.map(({ name }) => `berry-${name}`).join(" ");
  await on.run(`${which.map((unit) => heat(unit, 45)).join("; ")}; systemctl start ${names}`);
}

async function dieOn(on: FandMachine, which: readonly TestUnit[]): Promise<readonly Death[]> {
  await start(on, which);
  const plan = planOfDeaths(which).join("\n");
  return readDeaths(await on.run(`perl /usr/lib/berry-test/deaths.pl <<'PLAN'\n${plan}\nPLAN`));
}

/** A configuration of the shipped unit: that of another, or a text. */
function configure(text: string): string {
  return `mkdir -p /etc/berry; cat >/etc/berry/fand.toml <<'TOML'\n${text}\nTOML`;
}

const unit = "berry-fand.service";
const unitsOfPackage = [unit, "berry-announce.service", "berry-targets.service"];

describe("the package", () => {
  test("is installed by pacman with all its files as they were made, and goes with all of them", () => {
    const { install, check, owners, remove, left } = guest.said;
    expect(install + remove).not.toMatch(/^(?:error|warning)|failed/m);
    expect(check).toMatch(/^berry: \d+ total files, 0 altered files$/m);
    for (const path of ["bin/berry", "lib/berry/fand-failsafe", `lib/systemd/system/${unit}`])
      expect(owners).toContain(`/usr/${path} is owned by berry `);
    expect(left).toBe("");
  });

  test(
    "is what the emulated Pi has, with its default configuration, completions and manual",
    async () => {
      for (const path of [
        "/etc/berry/fand.toml",
        "/usr/share/bash-completion/completions/berry",
        "/usr/share/man/man1/berry-fand.1.gz",
        ...unitsOfPackage.map((name) => `/usr/lib/systemd/system/${name}`),
      ])
        expect(guest.digests).toContain(`  ${path}\n`);
      await machine.run(`sha256sum --check --strict --quiet <<'LIST'\n${guest.digests}\nLIST`);
      expect(await machine.run("berry --version")).toMatch(/^berry \S+ \(.*aarch64\)$/);
    },
    patience,
  );
});

describe("the shipped unit", () => {
  test(
    "is what systemd understands, and exposes little",
    async () => {
      const names = unitsOfPackage.join(" ");
      expect(await machine.run(`systemd-analyze verify --man=no ${names} 2>&1`)).toBe("");
      const analysis = await machine.run(`systemd-analyze security --no-pager ${unit}`);
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(analysis)?.[1]);
      expect(exposure).toBeLessThanOrEqual(1.1);
    },
    patience,
  );

  test(
    "leaves fans alone that nobody gave to berry",
    async () => {
      await machine.run(`echo 75 >/sys/class/hwmon/hwmon1/pwm1; ${configure('[[fan]]\nbackend = "none"')}`);
      await machine.run(`systemctl start ${unit} && sleep 2 && systemctl stop ${unit}`);
      expect(await machine.run("cat /sys/class/hwmon/hwmon1/pwm1")).toBe("75");
      await machine.run("rm -r /run/berry");
    },
    patience,
  );

  test(
    "has all fans at full speed while its configuration is broken from the start",
    async () => {
      await machine.run(`echo 75 >/sys/class/hwmon/hwmon1/pwm1; ${configure("[[fan]]\nbackend = 1")}`);
      expect(await machine.run(`systemctl start ${unit} || ${watch(units.kernelPwm, 100)}`)).toMatch(/ ms$/m);
      expect(await machine.run(logOf(unit))).toContain("error: /etc/berry/fand.toml: fan");
      await machine.run(`systemctl stop ${unit}`);
    },
    patience,
  );

  test(
    "drives a fan, reports to others, reloads, and leaves it at full speed",
    async () => {
      await machine.run(`${heat(units.kernelPwm, 45)}; ${configure(configOf(units.kernelPwm))}`);
      // in the words of the package
      const command = `systemctl enable --now ${unit}`;
      expect(guest.said.install).toContain(`    ${command}\n`);
      await machine.run(`${command}; ${watch(units.kernelPwm, 30)}`);
      expect(await machine.run(`systemctl is-enabled ${unit}; systemctl is-active ${unit}`)).toBe(
        "enabled\nactive",
      );
      const nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
      expect(await machine.run(`${nobody} cat /run/berry/berry.prom`)).toContain("berry_fan_duty_ratio{");
      await machine.run(
        `sed -i 's/\\[40, 20\\]/[40, 50]/' /etc/berry/fand.toml; systemctl reload ${unit}; ${watch(units.kernelPwm, 56)}`,
      );
      // longer than the watchdog waits: it is fed from within the sandbox
      await machine.run(`sleep 25; ${watch(units.kernelPwm, 56)}`);
      expect(await machine.run(`systemctl show -P NRestarts ${unit}`)).toBe("0");
      await machine.run(`systemctl stop ${unit}; ${watch(units.kernelPwm, 100)}`);
    },
    patience,
  );
});

describe("a daemon", () => {
  beforeAll(async () => await start(machine, all), patience.timeout);

  test(
    "drives the fan of each backend up and down, as its sensor says",
    async () => {
      for (const unit of all) {
        const isSwitched = unit.watched === "gpio";
        await machine.run(watch(unit, isSwitched ? 0 : 30));
        await machine.run(`${heat(unit, 70)}; ${watch(unit, isSwitched ? 100 : 80)}`);
        await machine.run(`${heat(unit, 45)}; ${watch(unit, isSwitched ? 0 : 30)}`);
      }
    },
    patience,
  );

  test(
    "keeps its configuration where a reload brings a broken one, and drives on",
    async () => {
      const { name } = units.pwm;
      const [config, pid] = [`/etc/berry/${name}.toml`, `systemctl show -P MainPID berry-${name}`];
      const before = await machine.run(pid);
      await machine.run(
        `cp ${config} /run/kept; echo 'pin = "18' >>${config}; systemctl reload berry-${name}`,
      );
      await machine.run(`sleep 3; cp /run/kept ${config}; ${heat(units.pwm, 60)}; ${watch(units.pwm, 60)}`);
      expect(await machine.run(logOf(`berry-${name}`))).toContain("the configuration stays as it was");
      expect(await machine.run(pid)).toBe(before);
      await machine.run(`${heat(units.pwm, 45)}; ${watch(units.pwm, 30)}`);
    },
    patience,
  );

  test.each([
    ["vanishes", `rm ${temperatureFile(units.kernelPwm)}`],
    ["says garbage", `echo warm >${temperatureFile(units.kernelPwm)}`],
    ["says what no silicon can be", `echo 200000 >${temperatureFile(units.kernelPwm)}`],
  ])(
    "runs its fan at full speed while its sensor %s, and follows it again afterwards",
    async (_, fault) => {
      await machine.run(`${fault}; ${watch(units.kernelPwm, 100)}`);
      await machine.run(`${heat(units.kernelPwm, 45)}; ${watch(units.kernelPwm, 30)}`);
    },
    patience,
  );

  test(
    "runs its fan at full speed while the driver of the Pi's own sensor is gone",
    async () => {
      const unit = units.kernelPwm;
      const config = `/etc/berry/${unit.name}.toml`;
      // the emulated sensor says 25 °C for ever
      await machine.run(
        `cp ${config} /run/kept; sed -i -e 's/"probe"/"cpu"/' -e '/^file/s/.*/type = "cpu-thermal"/' -e 's/\\[40, 20\\]/[20, 20]/' ${config}; systemctl reload berry-${unit.name}; ${watch(unit, 26.7)}`,
      );
      const driver = "/sys/bus/platform/drivers/bcm2835_thermal";
      await machine.run(`echo 3f212000.thermal >${driver}/unbind; ${watch(unit, 100)}`);
      await machine.run(`echo 3f212000.thermal >${driver}/bind; ${watch(unit, 26.7)}`);
      await machine.run(`cp /run/kept ${config}; systemctl reload berry-${unit.name}; ${watch(unit, 30)}`);
    },
    patience,
  );

  test(
    "has its fan at full speed when the fan's driver comes back",
    async () => {
      const unit = units.kernelGpio;
      const driver = "/sys/bus/platform/drivers/gpio-fan";
      const device = `gpio-fan-${unit.number}`;
      await machine.run(`${heat(unit, 70)}; ${watch(unit, 100)}`);
      await machine.run(`echo ${device} >${driver}/unbind; sleep 3; echo ${device} >${driver}/bind`);
      await machine.run(`${watch(unit, 100)}; ${heat(unit, 45)}; ${watch(unit, 0)}`);
    },
    patience,
  );
});

describe("two hundred deaths", () => {
  let deaths: readonly Death[];
  beforeAll(async () => {
    const ownDeaths = await dieOn(machine, [units.pwm, units.gpio, units.injected]);
    deaths = [...(await firstDeaths), ...ownDeaths];
    console.log(tellDeaths(deaths));
  }, patience.timeout);

  test("are died by daemons that cool, in every way and with every backend", () => {
    expect(deaths.length).toBeGreaterThanOrEqual(200);
    expect(deaths).toHaveLength(planOfDeaths(all).length);
    expect(deaths.filter(({ before, isDead }) => before > 50 || !isDead)).toEqual([]);
  });

  test("leave the fan at full speed within a second, after a hang within a second of the watchdog", () => {
    const late = deaths.filter(
      ({ way, milliseconds }) => milliseconds >= 1000 + (hangs.includes(way) ? watchdogMilliseconds : 0),
    );
    expect(late).toEqual([]);
  });

  test(
    "are followed by a life that cools again",
    async () => {
      for (const unit of all) await machine.run(watch(unit, unit.watched === "gpio" ? 0 : 30));
    },
    patience,
  );
});

describe("the package's units", () => {
  test(
    "start with a Pi on which they are enabled, and cool it with the configuration that comes with them",
    async () => {
      expect(guest.said.enable).toContain(`multi-user.target.wants/${unit} `);
      expect((await lastMachine).life.boot).toBe("enabled\nactive\ncools");
    },
    patience,
  );

  test(
    "announce the node, and tell Prometheus of the others",
    async () => {
      const { announced, targets } = (await lastMachine).life;
      expect(announced).toContain("<txt-record>model=Raspberry Pi 3 Model B");
      expect(JSON.parse(targets)).toEqual([]);
    },
    patience,
  );

  test(
    "are those of the new package after an upgrade",
    async () => expect((await lastMachine).life.upgrade).toBe("replaced\nnewer\ncools"),
    patience,
  );

  test(
    "leave the fan at full speed and nothing announced when the package is removed",
    async () =>
      expect((await lastMachine).life.removal).toBe("full speed\ndisabled\ndisabled\ndisabled\ninactive"),
    patience,
  );
});

/** What hangs on a GPIO, its function and its level. */
const pinOf = ({ number }: TestUnit): string =>
  `perl -I/usr/lib/berry-test -Mkernel -e 'print kernel::function(${number}), kernel::level(${number})'`;
// what the unit does after a death is left out
const alone = ({ name }: TestUnit): string =>
  `mkdir -p /run/systemd/system/berry-${name}.service.d; printf '[Service]\\nRestart=no\\nExecStopPost=\\n' >/run/systemd/system/berry-${name}.service.d/alone.conf; systemctl daemon-reload`;
const hurt = ({ name }: TestUnit): string => `systemctl kill -s KILL berry-${name}; sleep 0.01`;

/** The daemon of a GPIO killed with SIGKILL where nothing follows. @returns what became of the GPIO */
async function killAlone(on: FandMachine): Promise<string> {
  const { gpio } = units;
  await on.run(`${alone(gpio)}; ${heat(gpio, 70)}; systemctl start berry-${gpio.name}; ${watch(gpio, 100)}`);
  return await on.run(`${hurt(gpio)}; sleep 1; ${pinOf(gpio)}`);
}

describe("a GPIO whose daemon was killed", () => {
  const { gpio } = units;
  const pin = pinOf(gpio);
  beforeAll(async () => await start(machine, all), patience.timeout);

  test(
    "becomes an input, unless the script of the unit makes it an output again, by sysfs",
    async () => {
      await machine.run(`${alone(gpio)}; ${heat(gpio, 70)}; ${watch(gpio, 100)}`);
      expect(await machine.run(pin)).toBe("11");
      expect(await machine.run(`${hurt(gpio)}; sleep 1; ${pin}`)).toMatch(/^0/);
      await machine.run(`BERRY_FAND_NOTE=/run/berry-${gpio.name}/outputs /usr/lib/berry/fand-failsafe`);
      expect(await machine.run(pin)).toBe("11");
      expect(await machine.run("grep GPIO22 /sys/kernel/debug/gpio")).toMatch(/\|sysfs +\) out hi/);
      await machine.run(`systemctl start berry-${gpio.name}; ${heat(gpio, 45)}; ${watch(gpio, 0)}`);
    },
    patience,
  );

  test(
    "stays as it was where the kernel keeps outputs",
    async () => {
      expect((await lastMachine).keptPin).toBe("11");
      hasFailed = false;
    },
    patience,
  );
});
