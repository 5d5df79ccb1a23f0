import { BerryError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { formatBytes } from "../../core/units.ts";
import { commandLine } from "../script/quote.ts";
import type { Disk, DiskIdentification, Refusal } from "./disk.ts";

/** What was found under the name that a user gave; `lookAtTarget` finds it. */
export interface NamedFile {
  /** As it was typed. */
  readonly named: string;
  /** The same, absolute. */
  readonly path: string;
  /** The same, free of symbolic links; `path` where there is nothing. */
  readonly real: string;
  readonly type: "block" | "file" | "folder" | "other" | "missing";
  /** Of a block device. */
  readonly majorMinor: string | null;
}

export interface NamedDisk {
  readonly disk: Disk;
  /** It was named by its link in /dev/disk/by-id: who does that knows which disk it is. */
  readonly namedById: boolean;
}

/**
 * The whole disk that is meant by `/dev/sdb`, `sdb`, a link in /dev/disk/by-id, or any other link.
 *
 * @throws BerryError `usage` for a partition, whose disk it names, and for what is no disk; `no-input` where there is
 *   nothing
 */
export function resolveTarget(file: NamedFile, disks: readonly Disk[]): NamedDisk {
  const bare = file.named.includes("/") ? null : file.named;
  const isNamed = (name: string, path: string, majorMinor: string): boolean =>
    name === bare ||
    (file.majorMinor === null ? file.real === path : majorMinor !== "" && file.majorMinor === majorMinor);
  for (const disk of disks) {
    if (disk.byId.includes(file.path)) return { disk, namedById: true };
    if (isNamed(disk.name, disk.path, disk.identity.majorMinor)) return { disk, namedById: false };
    const folder = disk.path.slice(0, -disk.name.length);
    for (const { name, majorMinor } of disk.partitions) {
      if (!isNamed(name, `${folder}${name}`, majorMinor)) continue;
      throw new BerryError("usage", `${printable(file.named)} is ${name}, a partition of ${disk.path}`, {
        hint: `an image is written to a whole disk: name ${disk.path}, or its link in /dev/disk/by-id`,
      });
    }
  }
  throw notADisk(file, disks);
}

function notADisk(file: NamedFile, disks: readonly Disk[]): BerryError {
  const named = printable(file.named);
  const hint = whatThereIs(disks);
  switch (file.type) {
    case "missing":
      return new BerryError("no-input", `there is no disk ${named}`, { hint });
    case "block":
      return new BerryError("usage", `${named} is a block device without a medium, or none that holds data`, {
        hint,
      });
    case "file":
      return new BerryError("usage", `${named} is a file, not a disk`, {
        hint: `${hint}; a file becomes a disk by: ${commandLine(["losetup", "--find", "--show", named])}`,
      });
    case "folder":
      return new BerryError("usage", `${named} is a folder, not a disk`, { hint });
    case "other":
      return new BerryError("usage", `${named} is no disk`, { hint });
  }
}

/** Without the disk of the system, which nobody means; whether the others are in use is told once one is named. */
function whatThereIs(disks: readonly Disk[]): string {
  const known = disks
    .filter(
      ({ kind, identity, uses }) =>
        ["disk", "sd-card", "emmc"].includes(kind) &&
        identity.sizeBytes > 0 &&
        !uses.some(({ use }) => use === "holds"),
    )
    .map(
      ({ path, model, identity }) =>
        `${path} (${[printable(model), formatBytes(identity.sizeBytes)].filter((word) => word !== "").join(", ")})`,
    );
  return known.length === 0
    ? "no disk that could be a card is connected; berry imager devices shows what there is"
    : `there is ${known.join(", ")}; berry imager devices says which may be written`;
}

/**
 * What has to be typed to have a disk written that is not removable: its model (of a loop device the path of its file);
 * where that is unknown its name with its serial, or else with its size: `vda 32.0 GiB`.
 */
export function confirmationPhrase(disk: Disk): string {
  const model = printable(disk.model).trim();
  if (model !== "") return model;
  const serial = printable(disk.identity.serial).trim();
  return `${disk.name} ${serial === "" ? formatBytes(disk.identity.sizeBytes) : serial}`;
}

export type Confirmation =
  /** By --yes-really. */
  | { readonly confirmation: "given" }
  /** `phrase` has to be typed. */
  | { readonly confirmation: "ask"; readonly phrase: string }
  | { readonly confirmation: "refused"; readonly refusal: Refusal };

/** Whether a disk whose verdict is `confirm` was confirmed. `yesReally` has to be the phrase, but for space around it. */
export function confirmation(
  disk: Disk,
  { namedById, yesReally }: { readonly namedById: boolean; readonly yesReally: string | null },
): Confirmation {
  const phrase = confirmationPhrase(disk);
  if (yesReally !== null) {
    const given = yesReally.trim();
    // the path of a loop device's file is taken as it is shown and as it is
    if (given === phrase || (given !== "" && given === disk.model.trim())) return { confirmation: "given" };
    return refused(`--yes-really says ${quoted(yesReally)}, but ${disk.name} is ${quoted(phrase)}`, null);
  }
  if (namedById) return { confirmation: "ask", phrase };
  const [link] = disk.byId;
  const option = commandLine(["--yes-really", phrase]);
  return refused(
    `${disk.name} (${phrase}) is not a removable card, and was not named by /dev/disk/by-id`,
    link === undefined ? option : `name it ${commandLine([printable(link)])}, or give ${option}`,
  );
}

function refused(reason: string, remedy: string | null): Confirmation {
  return { confirmation: "refused", refusal: { reason, remedy } };
}

function quoted(text: string): string {
  return `'${printable(text)}'`;
}

/** What of a disk is no longer as it was, in words; null: it is the same. */
export function sameDisk(before: DiskIdentification, now: DiskIdentification): string | null {
  if (before.majorMinor !== now.majorMinor)
    return `its number was ${before.majorMinor} and is ${now.majorMinor}`;
  if (before.sizeBytes !== now.sizeBytes)
    return `it had ${before.sizeBytes} bytes and has ${now.sizeBytes} bytes`;
  if (before.serial !== now.serial)
    return `its serial number was ${quoted(before.serial)} and is ${quoted(now.serial)}`;
  if (before.sequence !== now.sequence) return "its medium was changed";
  return null;
}
