import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { formatTable } from "../../cli/table.ts";
import { defineVerb } from "../../cli/verb.ts";
import { readCluster } from "../read-cluster.ts";
import { BerryError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import { exportImage, exportPaths, type ExportEvent, type ExportFormat } from "../../imager/export-file.ts";
import { systemClock } from "../../system/clock.ts";
import { chooseNodes, clusterArguments } from "./prepare.ts";

const levels = {
  xz: { lowest: 0, highest: 9, usual: 6 },
  zst: { lowest: 1, highest: 19, usual: 10 },
} as const;

export const exportVerb = defineVerb({
  description: "pack images for other writers of SD cards, each with a block map",
  examples: [
    "berry imager export pi1",
    "berry imager export --format zst --output /media/usb",
    "berry imager export pi1 --level 9",
  ],
  args: {
    file: clusterArguments.file,
    format: {
      type: "enum",
      options: ["xz", "zst", "img"],
      default: "xz",
      description: "xz, which all of them read; zst, which is quicker; img, as it is",
    },
    output: {
      type: "string",
      alias: "o",
      valueHint: "FOLDER",
      description: "where the files go (default: beside the images)",
    },
    level: {
      type: "string",
      valueHint: "N",
      description: "how hard to try: 0 to 9 for xz (default: 6), 1 to 19 for zst (default: 10)",
    },
  },
  rest: { name: "NODE", description: "nodes of berry.toml that were baked; all of them by default" },
  async run({ args, rest, json, stdout, screen, log, signal }) {
    const level = levelOf(args.format, args.level);
    const cluster = await readCluster(args.file, log, signal);
    const output = resolve(args.output ?? cluster.outputDirectory);
    const jobs = chooseNodes(cluster, rest).map(({ name }) => ({
      node: name,
      image: join(cluster.outputDirectory, `${name}.img`),
      output,
      format: args.format,
      level,
      environment: process.env,
    }));
    for (const job of jobs) await refuseMissing(job.node, job.image, exportPaths(job).image);
    const rows: string[][] = [];
    let drawnAt = 0;
    const tell = (event: ExportEvent): void => {
      if (event.event === "exported") {
        screen.redraw([]);
        rows.push([
          event.node,
          event.image,
          formatBytes(event.packedBytes),
          `${formatBytes(event.mappedBytes)} of ${formatBytes(event.sizeBytes)}`,
        ]);
      } else if (event.event === "outdated") {
        log.warn(
          `${event.image} is of an earlier bake: the block map ${event.bmap} does not belong to it any more`,
          "export it again, or remove it",
        );
      } else if (systemClock.now() - drawnAt < 200) return;
      drawnAt = systemClock.now();
      if (json) stdout.write(`${JSON.stringify(event)}\n`);
      else if (event.event === "progress") screen.redraw([progressLine(event)]);
    };
    try {
      for (const job of jobs) await exportImage(job, tell, systemClock, signal);
    } finally {
      screen.redraw([]);
    }
    log.warn(
      "the exported files hold the nodes' secrets, as the images do: only you may read them",
      "do not put them where others can fetch them",
    );
    if (!json)
      stdout.write(
        formatTable(
          [{ title: "NODE" }, { title: "FILE" }, { title: "SIZE", align: "right" }, { title: "ON A CARD" }],
          rows,
        ),
      );
  },
});

/** @throws BerryError `usage` */
function levelOf(format: ExportFormat, typed: string | undefined): number {
  if (format === "img") {
    if (typed === undefined) return 0;
    throw new BerryError("usage", "--level has no meaning with --format img: nothing is packed");
  }
  const { lowest, highest, usual } = levels[format];
  if (typed === undefined) return usual;
  const level = /^\d{1,2}$/.test(typed) ? Number(typed) : NaN;
  if (level >= lowest && level <= highest) return level;
  throw new BerryError(
    "usage",
    `--level of ${format} takes a number from ${lowest} to ${highest}, got ${typed}`,
  );
}

/** @throws BerryError `no-input` where the node has not been baked, `usage` where the image would replace itself */
async function refuseMissing(node: string, image: string, target: string): Promise<void> {
  if (image === target) {
    throw new BerryError("usage", `${image} is the image itself`, {
      hint: "name another folder: --output FOLDER",
    });
  }
  await stat(image).catch((cause: unknown) => {
    throw new BerryError("no-input", `${node} has not been baked: no ${image}`, {
      hint: `berry imager bake ${node}`,
      cause,
    });
  });
}

function progressLine({ node, phase, doneBytes, totalBytes }: ExportEvent & { event: "progress" }): string {
  const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100);
  const what = phase === "checksums" ? "works out checksums" : "packs";
  return `${node}: ${what}, ${percent} % of ${formatBytes(totalBytes)}`;
}
