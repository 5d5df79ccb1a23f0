import { dirname } from "node:path";
import { BerryError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import type { Cluster } from "./cluster.ts";
import { composeCluster } from "./compose-cluster.ts";
import type { FanJudge } from "./fan-settings.ts";
import { hostFiles } from "./host-files.ts";
import { type ConfigProblem, type ConfigWarning, formatProblem, startDiagnosis } from "./problem.ts";
import { readToml } from "./read-toml.ts";

/** All that can be said of a cluster file. */
export interface ClusterReport {
  /** null when there are problems. */
  readonly cluster: Cluster | null;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigWarning[];
}

/**
 * Reads a cluster file and judges everything in it, and every file that it names, at once.
 * @throws BerryError `no-input`, `no-permission`, `usage` when there is nothing to read; `config` when it is not TOML
 */
export async function examineCluster(
  file: string,
  fanJudge: FanJudge,
  signal: AbortSignal,
): Promise<ClusterReport> {
  const document = await readToml(file, "berry init");
  const diagnosis = startDiagnosis(file);
  const around = { folder: dirname(document.path), files: hostFiles, diagnosis };
  const cluster = await composeCluster(document.content, document.path, around, fanJudge, signal);
  return {
    cluster: diagnosis.problems.length === 0 ? cluster : null,
    problems: diagnosis.problems,
    warnings: diagnosis.warnings,
  };
}

/**
 * The cluster of a file, frozen. Warnings go to `log`.
 * @throws BerryError `config` with every problem on a line of its own, and as `examineCluster`
 */
export async function loadCluster(
  file: string,
  fanJudge: FanJudge,
  log: Log,
  signal: AbortSignal,
): Promise<Cluster> {
  const { cluster, problems, warnings } = await examineCluster(file, fanJudge, signal);
  if (cluster === null) throw new BerryError("config", problems.map(formatProblem).join("\n"));
  for (const warning of warnings)
    log.warn(`${warning.file}: ${warning.key}: ${warning.message}`, warning.hint);
  return cluster;
}
