import { printable } from "../../core/printable.ts";
import { formatBytes, GiB } from "../../core/units.ts";
import type { Disk, Refusal, Verdict } from "./disk.ts";
import { refusalsOfUses } from "./refused-use.ts";

export interface Requirement {
  /** Of the image; null: any. */
  readonly minimumBytes: number | null;
}

/** An MBR's numbers of sectors have 32 bits. */
const mbrBytes = 2048 * GiB;
/** Cards above are sold, but what says that it is removable and is larger is more often a disk of someone's. */
const usualBytes = 1024 * GiB;

/**
 * Whether an image may be written to the disk. Every reason against it is told, not the first one alone.
 *
 * `writable`: a removable medium that nothing uses; `confirm`: nothing speaks against it but that it is not removable,
 * or that something could not be found out.
 */
export function judgeDisk(disk: Disk, requirement: Requirement): Verdict {
  const kind = refusalsOfKind(disk);
  // nobody wants to know that a CD has sectors of 2048 bytes
  const medium = kind.length > 0 ? [] : refusalsOfMedium(disk, requirement);
  const reasons = [...kind, ...medium, ...refusalsOfUses(disk)];
  if (reasons.length > 0) return { verdict: "refused", reasons };
  const reason = reasonToConfirm(disk);
  return reason === null ? { verdict: "writable" } : { verdict: "confirm", reason };
}

function refusalsOfKind({ kind, name, model }: Disk): Refusal[] {
  switch (kind) {
    case "disk":
    case "sd-card":
    case "emmc":
    case "loop":
      return [];
    case "emmc-boot":
      return [
        refusal(
          `${name} is a boot area of an eMMC: no image fits there, and the board may not start without it`,
        ),
      ];
    case "optical":
      return [refusal(`${name} is an optical drive`)];
    case "floppy":
      return [refusal(`${name} is a floppy drive`)];
    case "part":
      return [
        refusal(
          `${name} is made of other devices or of memory${model === "" ? "" : `: ${printable(model)}`}`,
        ),
      ];
    case "virtual":
      return [refusal(`${name} is no kind of disk that berry writes to`)];
  }
}

function refusalsOfMedium(disk: Disk, { minimumBytes }: Requirement): Refusal[] {
  const { name, logicalSectorBytes } = disk;
  const { sizeBytes, majorMinor } = disk.identity;
  if (majorMinor === "") return [refusal(`the kernel does not tell the number of ${name}`)];
  // without a medium, what the kernel says of one means nothing
  if (!(sizeBytes > 0)) return [refusal(`there is no medium in ${name}`, "put a card in")];
  const reasons: Refusal[] = [];
  if (disk.isReadOnly)
    reasons.push(
      refusal(`${name} is read-only`, "slide the lock switch of the card up, away from its contacts"),
    );
  if (logicalSectorBytes !== 512)
    reasons.push(
      refusal(
        logicalSectorBytes > 0
          ? `${name} has sectors of ${logicalSectorBytes} bytes, and an image is made for sectors of 512 bytes`
          : `the kernel does not tell how large the sectors of ${name} are`,
      ),
    );
  if (minimumBytes !== null && sizeBytes < minimumBytes)
    reasons.push(
      refusal(
        `${name} is too small: it has ${sizeBytes} bytes (${formatBytes(sizeBytes)}), the image needs ` +
          `${minimumBytes} (${formatBytes(minimumBytes)})`,
        "take a larger card, or bake a smaller image",
      ),
    );
  if (sizeBytes > mbrBytes)
    reasons.push(
      refusal(
        `${name} has ${formatBytes(sizeBytes)}: no card is so large, and an image's partition table reaches only 2 TiB`,
      ),
    );
  return reasons;
}

function reasonToConfirm(disk: Disk): string | null {
  const reasons = [...disk.doubts];
  const { sizeBytes } = disk.identity;
  if (disk.kind === "loop") reasons.unshift(`${disk.name} is a file: ${printable(disk.model)}`);
  else if (disk.kind !== "sd-card" && !disk.isRemovable) reasons.unshift(`${disk.name} is not removable`);
  else if (disk.bus !== "usb" && disk.bus !== "mmc")
    // libata calls disks in hot-swap bays and on eSATA removable
    reasons.unshift(`${disk.name} is in neither a card slot nor a USB port`);
  else if (sizeBytes > usualBytes)
    reasons.unshift(`${disk.name} has ${formatBytes(sizeBytes)}, which is much for a card`);
  return reasons.length === 0 ? null : reasons.join("; ");
}

function refusal(reason: string, remedy: string | null = null): Refusal {
  return { reason, remedy };
}
