import { existsSync } from "node:fs";
import {
  type ConfigProblem,
  type ConfigWarning,
  formatProblem,
  startDiagnosis,
} from "../../config/problem.ts";
import { readToml } from "../../config/read-toml.ts";
import { BerryError } from "../../core/errors.ts";
import { composeFand } from "./compose-fand.ts";
import { findExposure } from "./exposure-file.ts";
import { composeRpifand, isRpifand, type RpifandFile } from "./rpifand.ts";
import type { FandSettings } from "./settings.ts";

export const fandFiles = ["/etc/berry/fand.toml", "/etc/rpifand/rpifand.toml"] as const;

/** All that can be said of a fan's configuration. */
export interface FandReport {
  /** As the user named it; null: no file, the defaults. */
  readonly file: string | null;
  /** null when there are problems. */
  readonly settings: FandSettings | null;
  /** Where the file is one of rpifand's, and has no problems. */
  readonly rpifand: RpifandFile | null;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigWarning[];
}

/**
 * Reads a configuration and judges everything in it at once; without one that is named, the first of berry's file
 * and rpifand's that is there, or else the defaults.
 * @throws BerryError `no-input`, `no-permission`, `usage` when there is nothing to read; `config` when it is not TOML
 */
export async function examineFand(
  named: string | null,
  uid: number,
  candidates: readonly string[] = fandFiles,
): Promise<FandReport> {
  const file = named ?? candidates.find((candidate) => existsSync(candidate)) ?? null;
  const diagnosis = startDiagnosis(file ?? "fand.toml");
  const { problems, warnings } = diagnosis;
  if (file === null)
    return { file, settings: composeFand({}, null, diagnosis), rpifand: null, problems, warnings };
  const { path, content } = await readToml(file, "berry fand check --help", "any");
  const exposure = findExposure(path, uid);
  if (exposure !== null) diagnosis.add("", exposure, undefined);
  const rpifand = isRpifand(content) ? composeRpifand(content, path, diagnosis) : null;
  const settings = rpifand === null ? composeFand(content, path, diagnosis) : rpifand.settings;
  const isSound = problems.length === 0;
  return {
    file,
    settings: isSound ? settings : null,
    rpifand: isSound ? rpifand : null,
    problems,
    warnings,
  };
}

/** @throws BerryError `config` with every problem on a line of its own */
export function settingsOf(report: FandReport): FandSettings {
  if (report.settings !== null) return report.settings;
  throw new BerryError("config", report.problems.map(formatProblem).join("\n"));
}
