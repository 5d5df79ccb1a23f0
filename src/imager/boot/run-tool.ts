import { basename } from "node:path";

import { BerryError } from "../../core/errors.ts";
import type { BootPorts } from "./boot-request.ts";
import { toolPath } from "./tools.ts";

/**
 * Runs a program that must succeed, and returns what it wrote to stdout.
 * @throws BerryError `software` with the last line of its stderr
 */
export async function runTool(
  argv: readonly string[],
  ports: BootPorts,
  signal: AbortSignal,
  cwd?: string,
): Promise<string> {
  const environment = {
    PATH: toolPath(ports.environment),
    LC_ALL: "C",
    MTOOLS_SKIP_CHECK: "1",
    DEBUGFS_PAGER: "cat",
  };
  const result = await ports.runner.run(
    argv,
    { env: environment, ...(cwd === undefined ? {} : { cwd }) },
    signal,
  );
  if (result.exitCode === 0) return result.stdout;
  const why = result.stderr.trim().split("\n").at(-1) ?? "";
  throw new BerryError(
    "software",
    `${basename(argv[0] ?? "")} failed with exit code ${result.exitCode}: ${why || "it said nothing"}`,
  );
}
