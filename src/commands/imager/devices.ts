import { createStyle } from "../../cli/style.ts";
import { defineVerb } from "../../cli/verb.ts";
import { collectDisks } from "../../imager/disks/collect-disks.ts";
import { collectKeepPaths } from "../../imager/disks/collect-keep-paths.ts";
import { systemRoots } from "../../imager/disks/disk.ts";
import { judgeDisk } from "../../imager/disks/verdict.ts";
import { deviceLines, inOrder, isWorthShowing, whyNothing } from "./device-lines.ts";

export const devices = defineVerb({
  description: "list the cards that may be written, and why other disks may not",
  examples: ["berry imager devices", "berry imager devices --all", "berry imager devices --json"],
  args: {
    all: {
      type: "boolean",
      description: "also what is never written to: LVM, RAID, loop devices in use, optical drives",
    },
  },
  async run({ args, json, stdout, log, signal }) {
    const disks = await collectDisks(systemRoots, await collectKeepPaths([]), signal);
    const judged = inOrder(disks.map((disk) => ({ disk, verdict: judgeDisk(disk, { minimumBytes: null }) })));
    if (json) {
      stdout.write(`${JSON.stringify(judged.map(({ disk, verdict }) => ({ ...disk, ...verdict })))}\n`);
    } else {
      const shown = args.all ? judged : judged.filter(isWorthShowing);
      stdout.write(deviceLines(shown, stdout.isTerminal ? stdout.columns : null, createStyle(stdout.color)));
      const left = judged.length - shown.length;
      if (left > 0) log.info(`${left} more that are never written to: berry imager devices --all`);
    }
    const why = whyNothing(judged);
    if (why !== null) log.warn(why.message, why.hint);
  },
});
