import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { BerryError } from "../../core/errors.ts";
import type { BootPorts } from "./boot-request.ts";
import { reportFiles, reportUnitName, type GuestFile } from "./report-unit.ts";
import { runTool } from "./run-tool.ts";
import type { WorkingCopy } from "./working-copy.ts";

const wants = "/etc/systemd/system/multi-user.target.wants";

/**
 * Puts the report unit into the root file system of the working copy, without mounting it.
 * @param debugfs path of the program
 * @param waitSeconds how long the unit waits for the boot to finish before it reports
 * @throws BerryError `bad-data` when the root file system does not take it
 */
export async function instrument(
  copy: WorkingCopy,
  waitSeconds: number,
  debugfs: string,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<void> {
  const files = reportFiles(waitSeconds);
  const device = `${copy.image}?offset=${copy.partitions.root.offsetBytes}`;
  const commands = debugfsCommands(files);
  await Promise.all(files.map((file, index) => writeFile(join(copy.folder, sourceName(index)), file.text)));
  await writeFile(join(copy.folder, "debugfs.commands"), `${commands.join("\n")}\n`);
  await runTool([debugfs, "-w", "-f", "debugfs.commands", device], ports, signal, copy.folder);
  // debugfs says 0 whatever became of its commands: read back what matters.
  for (const file of files) {
    const found = await runTool([debugfs, "-R", `cat ${file.path}`, device], ports, signal, copy.folder);
    if (found !== file.text) throw notWritten(file.path);
  }
  const link = await runTool([debugfs, "-R", `stat ${wants}/${reportUnitName}`, device], ports, signal, copy.folder);
  if (!link.includes("Type: symlink")) throw notWritten(`${wants}/${reportUnitName}`);
}

/** The commands for debugfs(8); an existing folder makes its `mkdir` complain, and does no harm. */
export function debugfsCommands(files: readonly GuestFile[]): readonly string[] {
  const folders = new Set([wants, ...files.map((file) => dirname(file.path))].flatMap(ancestors));
  return [
    ...[...folders].map((folder) => `mkdir ${folder}`),
    ...files.flatMap((file, index) => [
      `rm ${file.path}`,
      `write ${sourceName(index)} ${file.path}`,
      `sif ${file.path} mode 0100${file.mode.toString(8)}`,
      `sif ${file.path} uid 0`,
      `sif ${file.path} gid 0`,
    ]),
    `rm ${wants}/${reportUnitName}`,
    `symlink ${wants}/${reportUnitName} ../${reportUnitName}`,
  ];
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
