import type { Answer } from "../health.ts";
import { type Board, type Heard } from "./group-sightings.ts";
import { baseOf, hostKey } from "./keys.ts";

/** A board, and what came of asking it. */
export interface Finding {
  readonly board: Board;
  /** Whom it comes from. */
  readonly first: Heard;
  /** The one that says most; null: the board is being asked. */
  readonly answer: Answer | null;
  /** As the page says it, without a domain; null: there is no page, or it does not say. */
  readonly nodeName: string | null;
  /** As it was announced; null: the user named it. */
  readonly announced: Heard["sighting"] | null;
}

/** Chooses what each board answered, and takes away pages that are another board's. */
export function settleAnswers(boards: readonly Board[]): readonly Finding[] {
  const findings = boards.flatMap(toFinding);
  return findings.map((finding) => withoutForeignPage(finding, findings));
}

const worth: Readonly<Record<Answer["answer"], number>> = { page: 3, garbage: 2, none: 1 };

function toFinding(board: Board): readonly Finding[] {
  const worthOf = ({ answer }: Heard) => (answer === null ? 0 : worth[answer.answer]);
  const [first] = board.heard.toSorted((one, other) => worthOf(other) - worthOf(one));
  if (first === undefined) return [];
  const isSettled = first.answer?.answer === "page" || board.heard.every(({ answer }) => answer !== null);
  const nodeName = first.answer?.answer === "page" ? first.answer.health.hostName : null;
  return [
    {
      board,
      first,
      answer: isSettled ? first.answer : null,
      nodeName: nodeName === null ? null : hostKey(nodeName),
      announced: board.heard.find(({ sighting }) => sighting.source !== "user")?.sighting ?? null,
    },
  ];
}

/**
 * Where two boards claim one address, as a lease that was passed on leaves it in avahi's cache, the page is of the one
 * that it names.
 */
function withoutForeignPage(finding: Finding, findings: readonly Finding[]): Finding {
  const { nodeName, first } = finding;
  if (nodeName === null || isCalled(first, nodeName)) return finding;
  const owner = findings.find(
    (other) =>
      other !== finding &&
      other.answer?.answer === "page" &&
      !other.board.endpoints.isDisjointFrom(finding.board.endpoints) &&
      isCalled(other.first, nodeName),
  );
  if (owner === undefined) return finding;
  const why = `its address is that of ${owner.first.sighting.host} now`;
  return { ...finding, answer: { answer: "none", why }, nodeName: null };
}

function isCalled({ sighting }: Heard, nodeName: string): boolean {
  return hostKey(sighting.host) === nodeName || baseOf(sighting.host) === nodeName;
}
