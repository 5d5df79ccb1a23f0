/**
 * How long somebody is left alone who did not answer in time. node_exporter goes on collecting for whom has gone:
 * who asks a slow one again at once makes it slower.
 */
export interface Rest {
  /** Rounds until it is asked again; 0: it may be asked. */
  readonly rounds: number;
  /** Rounds after the next answer that is late. */
  readonly next: number;
}

const longestRounds = 8;

/** Of one that answers, or of whom nothing is known. */
export const noRest: Rest = { rounds: 0, next: 1 };

/** After an answer that was late: 1 round, then 2, 4 and at most 8. */
export function restAfterLate({ next }: Rest): Rest {
  return { rounds: next, next: Math.min(2 * next, longestRounds) };
}

/** Whether there was a late answer, or two in a row: that is no news yet. */
export function isPatient({ next }: Rest): boolean {
  return next > noRest.next && next < longestRounds;
}

export function restAfterRound(rest: Rest): Rest {
  return { ...rest, rounds: Math.max(0, rest.rounds - 1) };
}
