import { createWriteProgress } from "../../cli/write-progress.ts";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { commandLine } from "../../imager/script/quote.ts";
import { type CardEnd } from "../../imager/write/card-process.ts";
import { writeCards } from "../../imager/write/write-cards.ts";
import { systemClock } from "../../system/clock.ts";
import { clusterArguments, ownArgv } from "./prepare.ts";
import { askAll } from "./write/ask.ts";
import { chooseCards } from "./write/choose-cards.ts";
import { invokingUser } from "./write/invoking-user.ts";
import { type Pair, parsePairs } from "./write/pairs.ts";

export const write = defineVerb({
  description: "write images to SD cards, all at once, and read everything back",
  examples: [
    "berry imager write pi1 /dev/sdb",
    "berry imager write pi1 /dev/sdb pi2 /dev/sdc --yes",
    "berry imager write pi1 /dev/sdb --resume",
    "berry imager write ~/raspios.img.xz /dev/mmcblk0",
  ],
  args: {
    file: clusterArguments.file,
    resume: {
      type: "boolean",
      description: "keep what is on the card already: go on where the last attempt stopped",
    },
    yes: { type: "boolean", alias: "y", description: "do not ask before a removable card is overwritten" },
    "yes-really": {
      type: "string",
      valueHint: "MODEL",
      description: "overwrite the disk of this model although it is not removable (several: MODEL,MODEL)",
    },
    bmap: {
      type: "string",
      valueHint: "FILE",
      description: "which parts of the image matter, with digests (default: IMAGE.bmap, where it exists)",
    },
    "give-up": {
      type: "string",
      default: "300",
      valueHint: "SECONDS",
      description: "how long to wait for a card that does not answer",
    },
  },
  rest: {
    name: "NODE|FILE DEVICE",
    description:
      "an image (a node of berry.toml, or a file: .img, .img.xz, .img.zst, .img.gz) and its card; and so on",
    atLeast: 1,
  },
  async run(context) {
    const { args, rest, json, signal } = context;
    const pairs = parsePairs(rest);
    const giveUpSeconds = Number(args["give-up"]);
    if (!/^\d{2,6}$/.test(args["give-up"]) || giveUpSeconds < 10)
      throw new BerryError("usage", `--give-up takes whole seconds, at least 10, got ${args["give-up"]}`);
    const user = await invokingUser(process.env, signal);
    const typed = [...(user === null ? [] : ["sudo"]), ...ownArgv(), ...process.argv.slice(2)];
    const answers = {
      yes: args.yes,
      yesReally: args["yes-really"] ?? null,
      isTerminal: process.stdin.isTTY && process.stderr.isTTY && !json,
    };
    await using chosen = await chooseCards(
      { pairs, file: args.file, bmap: args.bmap ?? null, answers, user, typed },
      context,
    );
    await askAll(chosen.cards, context);
    signal.throwIfAborted();
    using progress = createWriteProgress(context, systemClock);
    const ends = await writeCards(
      chosen.cards,
      {
        argv: [...ownArgv(), "imager", "write-card"],
        environment: process.env,
        resume: args.resume,
        giveUpSeconds,
      },
      { emit: (event) => progress.handle(event), clock: systemClock },
      signal,
    );
    refuseUnfinished(ends, unfinished(typed, pairs, ends), signal);
  },
});

/** The same words, without the cards that are whole: they may be taken out by then. */
function unfinished(typed: readonly string[], pairs: readonly Pair[], ends: readonly CardEnd[]): string[] {
  const left = [...typed];
  for (const [index, { image, device }] of pairs.entries()) {
    if (ends[index]?.event !== "verified") continue;
    const at = left.findIndex((word, place) => word === image && left[place + 1] === device);
    if (at !== -1) left.splice(at, 2);
  }
  return left;
}

/** The same words, but that what is on the cards is kept. */
function resumeLine(typed: readonly string[]): string {
  return commandLine(typed.includes("--resume") ? typed : [...typed, "--resume"]);
}

/** @throws BerryError: `interrupted`, else that of the first card that gave back something else, else of the first that failed */
function refuseUnfinished(ends: readonly CardEnd[], typed: readonly string[], signal: AbortSignal): void {
  const failed = ends.filter((end) => end.event === "failed");
  const [first] = failed;
  if (first === undefined) return;
  const devices = failed.map(({ device }) => device).join(", ");
  if (signal.aborted) {
    throw new BerryError("interrupted", `interrupted: ${devices} ${isOrAre(failed.length)} not finished`, {
      hint: `what was written is kept by: ${resumeLine(typed)}`,
    });
  }
  const worst = failed.find(({ kind }) => kind === "not-verified") ?? first;
  const canResume = failed.some(({ kind }) => ["io", "os"].includes(kind));
  throw new BerryError(
    worst.kind,
    `${failed.length} of ${ends.length} ${ends.length === 1 ? "card" : "cards"} not written: ${devices}`,
    canResume ? { hint: `to go on where it stopped: ${resumeLine(typed)}` } : {},
  );
}

function isOrAre(count: number): string {
  return count === 1 ? "is" : "are";
}
