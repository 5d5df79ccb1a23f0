import { cpus, release, totalmem } from "node:os";
import { mustRun } from "../../test/fixtures/run.ts";

/** Where figures come from: processor, memory, kernel, emulator, bun, the commit and the day. */
export async function describeMachine(emulator: string, signal: AbortSignal): Promise<string> {
  const qemu = /version ([\d.]+)/.exec(await mustRun([emulator, "--version"], {}, signal))?.[1];
  const commit = await mustRun(
    ["git", "-C", import.meta.dirname, "describe", "--always", "--dirty"],
    {},
    signal,
  ).catch(() => "unknown");
  const [first] = cpus();
  return [
    `${cpus().length} × ${first?.model.trim() ?? "a processor"}`,
    `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `Linux ${release()}`,
    `qemu ${qemu ?? "?"}`,
    `bun ${Bun.version}`,
    `berry ${commit.trim()}`,
    new Date().toISOString().slice(0, 10),
  ].join(", ");
}
