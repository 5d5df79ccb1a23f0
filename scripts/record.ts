import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { compiledBerry } from "../test/fixtures/compiled-berry.ts";
import { ordinaryUser } from "../test/fixtures/ordinary-user.ts";
import { parseOptions } from "./parse-options.ts";
import { bakeCommands, bakeTitle, clusterText } from "./recording/bake.ts";
import { machineWords, refuseWords } from "./recording/machine-words.ts";
import { drawPicture } from "./recording/picture.ts";
import { openHome, probeClusterText, probeCommands, probeTitle } from "./recording/probe.ts";
import { playOnScreen } from "./recording/screen.ts";
import { type Command, recordSession } from "./recording/session.ts";
import { openStage, type StagePlan } from "./recording/stage.ts";
import { openCardStage, writeCommands, writeTitle } from "./recording/write.ts";

/** Pictures of berry at work, for README: docs/bake.svg, docs/write.svg and docs/probe.svg. */
const usage = `scripts/record [bake] [write] [probe]

  Runs berry in a terminal and draws what it wrote: docs/bake.svg, docs/write.svg, docs/probe.svg; all by default.

  --work FOLDER   keeps the cluster, its downloads and its images there for the next time
  --out FOLDER    where the pictures go (docs)

As root: cards are loop devices over files of its own, nodes are network namespaces. Berry runs as an ordinary user.
`;

const parts = ["bake", "write", "probe"] as const;
type Part = (typeof parts)[number];

const columns = 100;
/** Until it begins again. */
const restMilliseconds = 6000;
const house = resolve(import.meta.dirname, "..");

/** @throws Error that says what is wrong with the words */
function parse(words: string[]) {
  const { values, positionals } = parseOptions({
    args: words,
    allowPositionals: true,
    options: {
      work: { type: "string" },
      out: { type: "string", default: join(house, "docs") },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const wanted = positionals.map((word) => {
    const part = parts.find((name) => name === word);
    if (part === undefined) throw new Error(`no such picture: ${word}; there are ${parts.join(", ")}`);
    return part;
  });
  return { ...values, wanted: wanted.length === 0 ? parts : wanted };
}

async function record(
  part: Part,
  plan: StagePlan,
  scratch: string,
  out: string,
  signal: AbortSignal,
): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const draw = async (
    title: string,
    commands: readonly Command[],
    argv: (words: readonly string[]) => string[],
    rows: number,
  ) => {
    const chunks = await recordSession(commands, argv, { columns, rows }, signal);
    const [first, ...more] = await playOnScreen(chunks, { columns, rows });
    if (first === undefined) throw new Error(`${part}: nothing was recorded`);
    const frames = [first, ...more] as const;
    refuseWords(frames, await machineWords([plan.home, scratch, house, hostname(), plan.user.name], signal));
    const typed = commands.map((command) => command.typed).join("; ");
    const last = frames.at(-1)?.atMilliseconds ?? 0;
    const picture = drawPicture({
      title,
      description: `A recorded terminal in which these commands are run; waits are shortened: ${typed}`,
      columns,
      rows: Math.min(rows, Math.max(...frames.map(({ lines }) => lines.length))),
      frames,
      durationMilliseconds: last + restMilliseconds,
    });
    const file = join(out, `${part}.svg`);
    await writeFile(file, picture);
    say(`${file}: ${frames.length} frames, ${Math.round(picture.length / 1024)} KiB`);
  };
  const cluster = async (text: string) => await writeFile(join(plan.home, "cluster/berry.toml"), text);
  switch (part) {
    case "bake": {
      await cluster(clusterText);
      const stage = scope.use(await openStage(plan));
      await run(stage.asUser(["berry", "imager", "clean"]), signal);
      await draw(bakeTitle, bakeCommands, stage.asUser, 28);
      return;
    }
    case "write": {
      await cluster(clusterText);
      const cards = scope.use(await openCardStage(plan, scratch, signal));
      say("baking what is to be written, unless it is there");
      await run(cards.stage.asUser(["berry", "imager"]), signal);
      await draw(writeTitle, writeCommands(cards), cards.stage.asUser, 24);
      return;
    }
    case "probe": {
      await cluster(probeClusterText);
      const lab = scope.use(await openHome(signal));
      const stage = scope.use(await openStage({ ...plan, within: lab.argv("viewer", []) }));
      await draw(probeTitle, probeCommands, stage.asUser, 24);
    }
  }
}

/** What is not shown. */
async function run(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const child = Bun.spawn([...argv], { stdin: "ignore", stdout: "ignore", stderr: "pipe", signal });
  const [code, said] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`${argv.join(" ")}: exit ${code}\n${said}`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(options: ReturnType<typeof parse>, stop: AbortController): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("loop devices and namespaces need root: run it with sudo");
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  await using scope = new AsyncDisposableStack();
  const scratch = await mkdtemp("/var/tmp/berry-record-");
  scope.defer(async () => await rm(scratch, { recursive: true, force: true }));
  await chmod(scratch, 0o755);
  const user = await ordinaryUser(stop.signal);
  const home = resolve(options.work ?? join(scratch, "home"));
  await mkdir(join(home, "cluster/secret"), { recursive: true });
  await writeFile(join(home, "cluster/secret/password"), "a password for a picture\n", { mode: 0o600 });
  for (const place of ["", "cluster", "cluster/secret", "cluster/secret/password"])
    await chown(join(home, place), user.userId, user.groupId);
  await mkdir(options.out, { recursive: true });
  say("compiling berry");
  const plan: StagePlan = { home, user, berry: await compiledBerry(stop.signal) };
  for (const part of options.wanted) await record(part, plan, scratch, resolve(options.out), stop.signal);
}

/** The words, or null where they are not understood, which is told then. */
function understand(words: string[]): ReturnType<typeof parse> | null {
  try {
    return parse(words);
  } catch (thrown) {
    complain(thrown);
    say("hint: scripts/record --help");
    return null;
  }
}

function complain(thrown: unknown): void {
  say(`error: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
}

const options = understand(process.argv.slice(2));
const stopping = new AbortController();
if (options === null) process.exitCode = 64;
else if (options.help) process.stdout.write(usage);
else
  await main(options, stopping).catch((thrown: unknown) => {
    const { aborted, reason } = stopping.signal;
    complain(aborted ? reason : thrown);
    process.exitCode = aborted ? 130 : 1;
  });
