import { formatBytes } from "../../core/units.ts";
import { isCard, type JudgedDisk, whyNothing } from "../imager/device-lines.ts";
import { type Denied, permissionFailure } from "../imager/write/permission.ts";
import { type Finding, missing, partly, ready, type Report } from "./finding.ts";

export interface WriteFacts {
  readonly disks: readonly JudgedDisk[];
  /** Those of them that may be written, but not by this user. */
  readonly denied: readonly Denied[];
}

/** Whether cards can be written now, and by this user. That no card is there is no fault of the machine. Pure. */
export function judgeWrite({ disks, denied }: WriteFacts): Report {
  const writable = disks.filter(({ verdict }) => verdict.verdict === "writable");
  if (writable.length > 0) {
    const isDenied = writable.every(({ disk }) => denied.some(({ path }) => path === disk.path));
    const count = writable.length === 1 ? "a card is there" : `${writable.length} cards are there`;
    return {
      role: "write",
      level: isDenied ? "partly" : "ready",
      what: isDenied ? `${count}, and sudo is needed to write` : `${count} to be written`,
      findings: writable.map((judged) => judgeCard(judged, denied)),
    };
  }
  const refused = disks.filter((judged) => isCard(judged) && judged.disk.identity.sizeBytes > 0);
  if (refused.length > 0) {
    const isConfirmable = refused.some(({ verdict }) => verdict.verdict === "confirm");
    return {
      role: "write",
      level: isConfirmable ? "partly" : "missing",
      what: isConfirmable ? "a card is there, and has to be confirmed" : "no card can be written as it is",
      findings: refused.flatMap(judgeRefused),
    };
  }
  const why = whyNothing(disks);
  return {
    role: "write",
    level: "partly",
    what: "no card is there now",
    findings: why === null ? [] : [partly(why.message, why.hint)],
  };
}

function judgeCard({ disk }: JudgedDisk, denied: readonly Denied[]): Finding {
  const words = [disk.model, formatBytes(disk.identity.sizeBytes)].filter((word) => word !== "");
  const name = `${disk.path} (${words.join(", ")})`;
  const own = denied.filter(({ path }) => path === disk.path);
  if (own.length === 0) return ready(`${name} can be written`);
  const { message, hint = "" } = permissionFailure(own, ["berry", "imager", "write", "NODE", disk.path]);
  return partly(`${name} can be written, but ${message}`, hint.split("\n", 1)[0] ?? hint);
}

function judgeRefused({ disk, verdict }: JudgedDisk): readonly Finding[] {
  switch (verdict.verdict) {
    case "writable":
      return [];
    case "confirm":
      return [partly(`${disk.path}: ${verdict.reason}`, "berry imager devices says how to confirm it")];
    case "refused":
      return verdict.reasons.map(({ reason, remedy }) =>
        missing(`${disk.path} is not written to: ${reason}`, remedy),
      );
  }
}
