import { commandRunner } from "../../src/system/command-runner.ts";
import { plainEnvironment } from "../../test/fixtures/run.ts";
import type { Frame } from "./picture.ts";

/** What would tell whose machine a picture was made on: `known`, and the hosts of the mirrors that its apt uses. */
export async function machineWords(
  known: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const argv = ["apt-get", "indextargets", "--format", "$(SITE)"];
  const asked = await commandRunner.run(argv, { env: plainEnvironment("/root") }, signal).catch(() => null);
  const sites = asked?.exitCode === 0 ? asked.stdout.split("\n") : [];
  const hosts = sites.map((site) => site.trim().replace(/^\w+:\/\//, ""));
  return [...new Set([...known, ...hosts.map((host) => host.replace(/[:/].*$/, ""))])].filter(Boolean);
}

/** @throws Error when one of the words stands in a line of a frame, on its own */
export function refuseWords(frames: readonly Frame[], words: readonly string[]): void {
  const lines = new Set(
    frames.flatMap(({ lines: shown }) => shown.map((line) => line.map(({ text }) => text).join(" "))),
  );
  for (const word of words) {
    const alone = new RegExp(`(?<![\\w-])${RegExp.escape(word)}(?![\\w-])`);
    for (const line of lines)
      if (alone.test(line)) throw new Error(`'${word}' of this machine would be seen: ${line}`);
  }
}
