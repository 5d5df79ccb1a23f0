import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { BerryError } from "../../core/errors.ts";
import type { BootPorts } from "./boot-request.ts";
import { reportUnitName, type GuestFile } from "./report-unit.ts";
import { runTool } from "./run-tool.ts";
import type { WorkingCopy } from "./working-copy.ts";

const wants = "/etc/systemd/system/multi-user.target.wants";
const reportLink = `${wants}/${reportUnitName}`;

/**
 * Puts files into the root file system of the working copy, without mounting it; systemd starts the report unit
 * where it is among them.
 * @param debugfs path of the program
 * @throws BerryError `bad-data` when the root file system does not take them
 */
export async function instrument(
  copy: WorkingCopy,
  files: readonly GuestFile[],
  debugfs: string,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<void> {
  const device = `${copy.image}?offset=${copy.partitions.root.offsetBytes}`;
  const run = (request: readonly string[]): Promise<string> =>
    runTool([debugfs, ...request, device], ports, signal, copy.folder);
  await Promise.all(files.map((file, index) => writeFile(join(copy.folder, sourceName(index)), file.text)));
  await writeFile(join(copy.folder, "debugfs.commands"), `${debugfsCommands(files).join("\n")}\n`);
  await run(["-w", "-f", "debugfs.commands"]);
  // debugfs says 0 whatever became of its commands: read back what it wrote.
  for (const file of files) {
    if ((await run(["-R", `cat ${file.path}`])) !== file.text) throw notWritten(file.path);
  }
  if (files.some(isReportUnit) && !(await run(["-R", `stat ${reportLink}`])).includes("Type: symlink")) {
    throw notWritten(reportLink);
  }
}

/** The commands for debugfs(8); an existing folder makes its `mkdir` complain, and does no harm. */
function debugfsCommands(files: readonly GuestFile[]): readonly string[] {
  const folders = new Set([wants, ...files.map((file) => dirname(file.path))].flatMap(ancestors));
  const link = [`rm ${reportLink}`, `symlink ${reportLink} ../${reportUnitName}`];
  return [
    ...[...folders].map((folder) => `mkdir ${folder}`),
    ...files.flatMap((file, index) => [
      `rm ${file.path}`,
      `write ${sourceName(index)} ${file.path}`,
      `sif ${file.path} mode 0100${file.mode.toString(8)}`,
      `sif ${file.path} uid 0`,
      `sif ${file.path} gid 0`,
    ]),
    ...(files.some(isReportUnit) ? link : []),
  ];
}

function isReportUnit(file: GuestFile): boolean {
  return basename(file.path) === reportUnitName;
}

function sourceName(index: number): string {
  return `guest-file-${index}`;
}

function ancestors(folder: string): readonly string[] {
  return folder === "/" ? [] : [...ancestors(dirname(folder)), folder];
}

function notWritten(path: string): BerryError {
  return new BerryError("bad-data", `cannot write ${path} into the copy of the image`, {
    hint: "the root partition must be a clean ext4 file system; look with e2fsck -fn at a copy of it",
  });
}
