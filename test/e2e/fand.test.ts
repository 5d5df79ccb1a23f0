import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Death, hangs, planOfDeaths, readDeaths, tellDeaths } from "./fand/deaths.ts";
import { units } from "./fand/fleet.ts";
import { type FandMachine, startFandMachine } from "./fand/machine.ts";
import { configOf, filesOfUnits, temperatureFile, type TestUnit } from "./fand/units.ts";

/**
 * The daemon on an emulated Pi with the kernel's own drivers and systemd. What a fan does is what the PWM core and the
 * GPIO registers say. The clock is the guest's, which counts instructions: a nanosecond each, of all processors together.
 */

const patience = { timeout: 1_200_000 };
const all: readonly TestUnit[] = Object.values(units);
const watchdogMilliseconds = 10_000;

const cleanUp = new AsyncDisposableStack();
let machine: FandMachine;
let firstDeaths: Promise<readonly Death[]>;
/** One whose kernel keeps the outputs of those that have ended. */
let keeping: Promise<FandMachine>;
let hasFailed = true;

beforeAll(async () => {
  const signal = AbortSignal.timeout(3_000_000);
  const files = await filesOfUnits(all);
  const boot = async (...words: readonly string[]) =>
    cleanUp.use(await startFandMachine(files, words, signal));
  const [one, other] = await Promise.all([boot(), boot()]);
  machine = one;
  // each machine keeps one processor busy: on the other one, these die from now on, and then the third one boots
  firstDeaths = dieOn(other, [units.kernelPwm, units.kernelGpio]);
  keeping = firstDeaths.then(async () => await boot("pinctrl-bcm2835.persist_gpio_outputs=1"));
  for (const promise of [firstDeaths, keeping]) promise.catch(() => {});
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

describe("the shipped unit", () => {
  const unit = "berry-fand.service";
  test(
    "is what systemd understands, and exposes little",
    async () => {
      expect(await machine.run(`systemd-analyze verify ${unit} 2>&1`)).toBe("");
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
      await machine.run(`systemctl start ${unit}; ${watch(units.kernelPwm, 30)}`);
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

describe("a GPIO whose daemon was killed", () => {
  const { gpio } = units;
  const pin = `perl -I/usr/lib/berry-test -Mkernel -e 'print kernel::function(${gpio.number}), kernel::level(${gpio.number})'`;
  const hurt = `systemctl kill -s KILL berry-${gpio.name}; sleep 0.01`;
  beforeAll(async () => await start(machine, all), patience.timeout);
  // what the unit does after a death is left out
  const alone = `mkdir -p /run/systemd/system/berry-${gpio.name}.service.d; printf '[Service]\\nRestart=no\\nExecStopPost=\\n' >/run/systemd/system/berry-${gpio.name}.service.d/alone.conf; systemctl daemon-reload`;

  test(
    "becomes an input, unless the script of the unit makes it an output again, by sysfs",
    async () => {
      await machine.run(`${alone}; ${heat(gpio, 70)}; ${watch(gpio, 100)}`);
      expect(await machine.run(pin)).toBe("11");
      expect(await machine.run(`${hurt}; sleep 1; ${pin}`)).toMatch(/^0/);
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
      const kept = await keeping;
      await kept.run(`${alone}; ${heat(gpio, 70)}; systemctl start berry-${gpio.name}; ${watch(gpio, 100)}`);
      expect(await kept.run(`${hurt}; sleep 1; ${pin}`)).toBe("11");
      hasFailed = false;
    },
    patience,
  );
});
