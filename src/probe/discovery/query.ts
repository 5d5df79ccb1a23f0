import { type Answer, encode, encodingLength } from "dns-packet";
import { type Question, serviceType } from "./sightings.ts";

interface Draft {
  readonly type: "query";
  readonly id: number;
  readonly questions: Question[];
  readonly answers: Answer[];
}

export interface KnownAnswer {
  /** Full name of an instance. */
  readonly target: string;
  /** That are left of its life. */
  readonly ttlSeconds: number;
}

/** What goes through any network in one piece: the least MTU of IPv6 (RFC 8200, section 5) without the headers. */
const maximumBytes = 1232;

/**
 * Queries (RFC 6762, section 18): as few packets as the questions fit into. Known answers go with the first, as many as
 * it has room for: whoever is left out answers once more. Names that cannot be sent are not asked for.
 * @param id 0 from port 5353, else any (sections 6.7 and 18.1)
 */
export function encodeQueries(
  id: number,
  questions: readonly Question[],
  known: readonly KnownAnswer[],
): Uint8Array[] {
  const packets: Draft[] = [];
  for (const question of questions) {
    if (!canBeSent(question.name)) continue;
    let last = packets.at(-1);
    if (
      last === undefined ||
      encodingLength({ ...last, questions: [...last.questions, question] }) > maximumBytes
    ) {
      last = { type: "query", id, questions: [], answers: [] };
      packets.push(last);
    }
    last.questions.push(question);
  }
  const [first] = packets;
  for (const { target, ttlSeconds } of first === undefined ? [] : known) {
    if (!canBeSent(target)) continue;
    const answer = { type: "PTR", name: serviceType, ttl: ttlSeconds, class: "IN", data: target } as const;
    if (
      first === undefined ||
      encodingLength({ ...first, answers: [...first.answers, answer] }) > maximumBytes
    )
      break;
    first.answers.push(answer);
  }
  return packets.map((packet) => encode(packet));
}

/** RFC 1035, section 2.3.4. Bytes that were no text have become longer. */
function canBeSent(name: string): boolean {
  const labels = name.split(".").map((label) => new TextEncoder().encode(label).length);
  return (
    labels.every((bytes) => bytes > 0 && bytes <= 63) &&
    labels.reduce((sum, bytes) => sum + bytes + 1, 1) <= 255
  );
}
