import { closeSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultControl } from "../../src/fand/config/defaults.ts";
import { replay } from "../../src/fand/simulate/replay.ts";
import { shippedTraces } from "../../src/fand/simulate/shipped-traces.ts";
import { pi4, sensed, trembling } from "../../src/fand/simulate/thermal-model.ts";
import { parseTrace } from "../../src/fand/simulate/trace.ts";
import { addCoolingFan, fakeBoard } from "../../test/fixtures/fand-boards.ts";
import { onBoard } from "../../test/fixtures/fand-place.ts";
import { plainEnvironment } from "../../test/fixtures/run.ts";
import { compileBerry } from "./bake.ts";
import { inControlGroup, makeControlGroup } from "./control-group.ts";
import {
  askExporter,
  berrySide,
  describeSides,
  fancontrolSide,
  goSide,
  pythonSide,
  type Side,
} from "./fand-sides.ts";
import { type Costs, type CostTable } from "./fand-table.ts";
import { type Runner, watchCosts } from "./fand-watch.ts";

/** `steady`: nothing changes; `work`: a shipped trace. */
export const fandParts = ["steady", "work"] as const;
type FandPart = (typeof fandParts)[number];

export interface FandOptions {
  /** null: both. */
  readonly only: FandPart | null;
  /** Of each part. */
  readonly seconds: number;
  /** Hardly any time to settle, to try the bench itself out. */
  readonly quick: boolean;
}

/** What a program compiles, reads or asks at its start is not what it costs from day to day. */
const settleSeconds = 20;
const quickSettleSeconds = 4;
const steadyCelsius = 48.3;

/**
 * The daemon against what else drives fans, all of them at the same time, each with a fan and a sensor of its own that
 * show the same temperature, looked at once a second.
 * @throws Error where one of them ends, complains, or does not do its work
 */
export async function benchFand(
  { only, seconds, quick }: FandOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Costs> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp("/var/tmp/berry-bench-fand-");
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const berry = resources.use(await compileBerry(say, signal));
  const notified = await listen(join(folder, "notify"), resources, signal);
  const go = await goSide(folder, signal);
  const sides = [
    await berrySide(berry.own, folder, notified.socket),
    await fancontrolSide(folder),
    pythonSide(),
    ...(go === null ? [] : [go]),
  ];
  const running: Running[] = [];
  for (const side of sides) running.push(await start(side, folder, resources));
  const beat = (celsius: number) => {
    for (const one of running) one.beat(celsius, signal);
  };
  const settling = quick ? quickSettleSeconds : settleSeconds;
  say(`started ${sides.map(({ name }) => name).join(", ")}; they settle for ${settling} s`);
  for (let second = 0; second < settling; second += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await sleep(1000, undefined, { signal });
    beat(steadyCelsius);
  }
  const tables: CostTable[] = [];
  for (const part of fandParts) {
    if (only !== null && only !== part) continue;
    const { title, celsiusAt } = temperaturesOf(part, seconds);
    say(`${title}: ${seconds} s`);
    const costs = await watchCosts(running, seconds, (second) => beat(celsiusAt(second)), signal);
    for (const one of running) one.insist();
    const columns = sides.flatMap(({ name }, index) => {
      const cost = costs[index];
      return cost === undefined ? [] : [{ name, cost }];
    });
    tables.push({ part, title: `fand, ${title}, ${seconds} s`, columns });
  }
  const fed = await notified.end();
  if (fed < seconds) throw new Error(`berry fed its watchdog ${fed} times in more than ${seconds} s`);
  return {
    versions: await describeSides(signal),
    tables,
    missing: go === null ? "no Go daemon: there is no prometheus-node-exporter here" : null,
  };
}

function temperaturesOf(part: FandPart, seconds: number) {
  switch (part) {
    case "steady":
      return { title: `always ${steadyCelsius} °C`, celsiusAt: () => steadyCelsius };
    case "work": {
      const trace = parseTrace(shippedTraces["bursts"] ?? "", "bursts");
      const { temperatures } = replay(trace, { control: defaultControl, intervalSeconds: 1 }, pi4);
      const tremble = trembling(7);
      const seen = Array.from({ length: seconds }, (_, second) =>
        sensed(pi4, temperatures[second % temperatures.length] ?? steadyCelsius, tremble()),
      );
      const [least, most] = [Math.min(...seen), Math.max(...seen)].map((celsius) => celsius.toFixed(0));
      return {
        title: `a Pi 4 begins to work, ${least} to ${most} °C`,
        celsiusAt: (second: number) => seen[second] ?? steadyCelsius,
      };
    }
  }
}

interface Running extends Runner {
  /** Once a second. */
  readonly beat: (celsius: number, signal: AbortSignal) => void;
  /** @throws Error where it has ended or complained */
  readonly insist: () => void;
}

async function start(side: Side, folder: string, resources: AsyncDisposableStack): Promise<Running> {
  const word = side.name.replaceAll(/\W+/g, "-");
  const group = resources.use(await makeControlGroup(word));
  const board = await makeBoard(resources);
  const log = join(folder, `${word}.log`);
  const output = openSync(log, "w");
  const child = Bun.spawn(inControlGroup(group, onBoard(board.folder, side.argv)), {
    env: { ...plainEnvironment("/"), ...side.env },
    stdin: "ignore",
    stdout: output,
    stderr: output,
  });
  closeSync(output);
  let failure: Error | null = null;
  return {
    group,
    log,
    pwm: side.drives ? board.pwm : null,
    beat(celsius, signal) {
      // in place and always as long: whoever reads at this moment reads a number
      writeSync(board.sensor, `${Math.round(celsius * 1000)}\n`, 0);
      if (side.drives) return;
      askExporter(readFileSync(log, "utf8"), signal).catch((thrown: unknown) => {
        failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      });
    },
    insist() {
      const said = readFileSync(log, "utf8");
      if (child.exitCode !== null || (side.drives && /^(?:warning|error):/im.test(said)))
        throw new Error(`${side.name} does not work (exit ${child.exitCode}):\n${said}`);
      if (failure !== null) throw failure;
      const duty = Number.parseInt(readFileSync(board.pwm, "utf8"), 10);
      if (!(duty > 0 && duty < 255))
        throw new Error(`${side.name} drives its fan with ${duty} of 255, which is no answer:\n${said}`);
    },
  };
}

/** A Pi 5 with its fan, as files. */
async function makeBoard(resources: AsyncDisposableStack) {
  // in memory, as sysfs is: other file systems have a reader or writer wait for them
  const board = await fakeBoard("pi-5", "/dev/shm");
  resources.defer(() => rm(board.folder, { recursive: true, force: true }));
  // node_exporter does without no attribute
  await board.put({ "sys/class/thermal/thermal_zone0/policy": "step_wise\n" });
  const fan = await addCoolingFan(board);
  const sensor = openSync(join(board.folder, "sys/class/thermal/thermal_zone0/temp"), "r+");
  resources.defer(() => closeSync(sensor));
  const pwm = join(fan, "pwm1");
  if (!statSync(pwm).isFile()) throw new Error(`${pwm}: no file`);
  return { folder: board.folder, sensor, pwm };
}

/** Stands in for systemd. */
async function listen(socket: string, resources: AsyncDisposableStack, signal: AbortSignal) {
  const child = Bun.spawn(["python3", join(import.meta.dirname, "fand-notified.py"), socket], {
    env: plainEnvironment("/"),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  resources.defer(() => child.kill("SIGKILL"));
  const reader = child.stdout.getReader();
  const line = async () => {
    const { value } = await reader.read();
    signal.throwIfAborted();
    return new TextDecoder().decode(value).trim();
  };
  const first = await line();
  if (first !== "ready") throw new Error(`fand-notified.py said ${first}`);
  return {
    socket,
    /** How often the watchdog was fed. */
    async end() {
      child.kill("SIGTERM");
      return Number(await line());
    },
  };
}
