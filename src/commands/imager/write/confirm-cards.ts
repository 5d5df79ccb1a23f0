import { BerryError } from "../../../core/errors.ts";
import { printable } from "../../../core/printable.ts";
import { formatBytes } from "../../../core/units.ts";
import { confirmation } from "../../../imager/disks/choose-disk.ts";
import type { Disk, Verdict } from "../../../imager/disks/disk.ts";
import { commandLine } from "../../../imager/script/quote.ts";

export interface Target {
  readonly disk: Disk;
  readonly namedById: boolean;
}

export interface Answers {
  readonly yes: boolean;
  /** Models that --yes-really names. */
  readonly yesReally: string | null;
  /** Somebody can be asked. */
  readonly isTerminal: boolean;
}

/** What has to be asked before a card is written. */
export type Question =
  | { readonly ask: "nothing" }
  /** y or n. */
  | { readonly ask: "consent" }
  /** This has to be typed. */
  | { readonly ask: "phrase"; readonly phrase: string };

/**
 * What is to be asked of a disk that may be written to.
 * @returns the problem where nobody can answer, or the answer that was given is not right
 */
export function questionOf(
  { disk, namedById }: Target,
  verdict: Exclude<Verdict["verdict"], "refused">,
  answers: Answers,
): Question | BerryError {
  switch (verdict) {
    case "writable":
      if (answers.yes || saysYesReally(disk, namedById, answers.yesReally)) return { ask: "nothing" };
      return answers.isTerminal
        ? { ask: "consent" }
        : new BerryError("usage", `${disk.path} is overwritten only with --yes where nobody can be asked`, {
            hint: `say --yes once you are sure; on it is: ${contentsOf(disk)}`,
          });
    case "confirm":
      return phraseOf(disk, namedById, answers);
  }
}

function phraseOf(disk: Disk, namedById: boolean, answers: Answers): Question | BerryError {
  const yesReally = saysYesReally(disk, namedById, answers.yesReally) ?? answers.yesReally;
  const confirmed = confirmation(disk, { namedById, yesReally });
  switch (confirmed.confirmation) {
    case "given":
      return { ask: "nothing" };
    case "refused": {
      const { reason, remedy } = confirmed.refusal;
      return new BerryError("usage", reason, remedy === null ? {} : { hint: remedy });
    }
    case "ask":
      if (answers.isTerminal) return { ask: "phrase", phrase: confirmed.phrase };
      return new BerryError("usage", `${disk.path} is not removable, and nobody can be asked`, {
        hint: `${commandLine(["--yes-really", confirmed.phrase])} says that you know`,
      });
  }
}

/** That of the names, of which several are separated by commas, which is the disk's; null: none is. */
function saysYesReally(disk: Disk, namedById: boolean, given: string | null): string | null {
  if (given === null) return null;
  const names = [given, ...given.split(",")];
  return (
    names.find((yesReally) => {
      return confirmation(disk, { namedById, yesReally }).confirmation === "given";
    }) ?? null
  );
}

/** What would be lost, for people. */
function contentsOf({ contents }: Disk): string {
  const found = contents.map(({ device, type, label, sizeBytes }) => {
    const name = label === "" ? "" : ` '${printable(label)}'`;
    return `${device}: ${printable(type)}${name} (${formatBytes(sizeBytes)})`;
  });
  return found.length === 0 ? "nothing that is known" : found.join(", ");
}

/** The disk as it is shown before it is overwritten. */
export function describeDisk(disk: Disk): string {
  const words = [formatBytes(disk.identity.sizeBytes), printable(disk.model), disk.bus];
  return `${disk.path}: ${words.filter((word) => word !== "").join(", ")}; on it is ${contentsOf(disk)}`;
}
