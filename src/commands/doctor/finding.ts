import {
  type Distribution,
  installCommand,
  installCommands,
  type Need,
} from "../../imager/install-command.ts";

/** What a machine may do in a cluster, with what it means. */
export const roles = {
  bake: "make the images of SD cards",
  write: "write SD cards",
  cool: "drive the fan of this Pi",
  probe: "find the nodes",
} as const;

export type Role = keyof typeof roles;

/** `partly`: it can be done, though not wholly, or not at once; `not here`: this is no machine for it. */
export type Level = "ready" | "partly" | "missing" | "not here";

export interface Finding {
  readonly level: Level;
  /** In lower case, without a full stop: what was found, with values. */
  readonly what: string;
  /** What mends it, best a command that can be typed; null: nothing has to, or packages do. */
  readonly remedy: string | null;
  /** What has to be installed. */
  readonly needs: readonly Need[];
}

export interface Report {
  readonly role: Role;
  readonly level: Level;
  /** In one line, in lower case, without a full stop. */
  readonly what: string;
  readonly findings: readonly Finding[];
}

export function ready(what: string, remedy: string | null = null): Finding {
  return { level: "ready", what, remedy, needs: [] };
}

export function partly(what: string, remedy: string | null, needs: readonly Need[] = []): Finding {
  return { level: "partly", what, remedy, needs };
}

export function missing(what: string, remedy: string | null, needs: readonly Need[] = []): Finding {
  return { level: "missing", what, remedy, needs };
}

/** What the reports say has to be installed, as commands. */
export interface Prescribed {
  readonly reports: readonly Report[];
  /** One command for all roles; null where no more than one of them lacks packages. */
  readonly install: string | null;
}

/**
 * Puts commands where packages are needed: what a role lacks is installed by one command, and what would be good
 * besides by one of its own.
 * @param distribution null: not known, and the commands of several are named
 */
export function prescribe(
  reports: readonly Report[],
  distribution: Distribution | null,
  isRoot: boolean,
): Prescribed {
  const commandFor = (needs: readonly Need[]): string => {
    const command = distribution === null ? installCommands(needs) : installCommand(needs, distribution);
    return isRoot ? command.replaceAll("sudo ", "") : command;
  };
  const lacking = reports.map(({ findings }) => needsOf(findings.filter(({ level }) => level === "missing")));
  const prescribed = reports.map((report, index) => ({
    ...report,
    findings: report.findings.map((finding) => {
      if (finding.needs.length === 0) return finding;
      const needs = finding.level === "missing" ? (lacking[index] ?? []) : finding.needs;
      return { ...finding, remedy: commandFor(needs) };
    }),
  }));
  const isForSeveral = lacking.filter((needs) => needs.length > 0).length > 1;
  return { reports: prescribed, install: isForSeveral ? commandFor(lacking.flat()) : null };
}

function needsOf(findings: readonly Finding[]): readonly Need[] {
  return findings.flatMap(({ needs }) => needs);
}
