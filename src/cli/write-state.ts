import type { WriteEvent, WritePhase } from "../imager/write/write-event.ts";

/** One card as far as its events have told. */
export interface CardState {
  readonly device: string;
  readonly image: string;
  readonly model: string;
  readonly writeBytes: number;
  /** null: it has not begun. */
  readonly phase: WritePhase | null;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Where the phase stood lately, oldest first; milliseconds since the epoch. */
  readonly samples: readonly Sample[];
  /** It has not answered for so long; 0: it does. */
  readonly stalledSeconds: number;
  readonly end: CardEnd | null;
}

export interface Sample {
  readonly at: number;
  readonly doneBytes: number;
}

export type CardEnd = Extract<WriteEvent, { event: "verified" | "failed" }>;
export type Finished = Extract<WriteEvent, { event: "finished" }>;

export interface WriteState {
  readonly cards: readonly CardState[];
  readonly finished: Finished | null;
}

export const writeBegin: WriteState = { cards: [], finished: null };

/** A rate is that of the last seconds: cards become slower when their cache is full. */
const sampleMilliseconds = 10_000;

/** The state after one more event; `now` in milliseconds since the epoch. */
export function advanceWrite(state: WriteState, event: WriteEvent, now: number): WriteState {
  switch (event.event) {
    case "card": {
      const { device, image, model, writeBytes } = event;
      const card: CardState = {
        device,
        image,
        model,
        writeBytes,
        phase: null,
        doneBytes: 0,
        totalBytes: writeBytes,
        samples: [],
        stalledSeconds: 0,
        end: null,
      };
      return { ...state, cards: [...state.cards, card] };
    }
    case "progress":
      return update(state, event.device, (card) => {
        const { phase, doneBytes, totalBytes } = event;
        const isSame = card.phase === phase && doneBytes >= card.doneBytes;
        const sample = { at: now, doneBytes };
        const earlier = isSame ? card.samples : [];
        const samples = [...earlier.filter(({ at }) => now - at <= sampleMilliseconds), sample];
        return { phase, doneBytes, totalBytes, samples, stalledSeconds: 0 };
      });
    case "stalled":
      return update(state, event.device, () => ({ stalledSeconds: event.seconds }));
    case "verified":
    case "failed":
      return update(state, event.device, () => ({ end: event, stalledSeconds: 0 }));
    case "finished":
      return { ...state, finished: event };
    case "warned":
      return state;
  }
}

function update(
  state: WriteState,
  device: string,
  change: (card: CardState) => Partial<CardState>,
): WriteState {
  const cards = state.cards.map((card) => (card.device === device ? { ...card, ...change(card) } : card));
  return { ...state, cards };
}

/** Bytes a second of the last ten; null: not known yet. */
export function rateOf({ samples }: Pick<CardState, "samples">): number | null {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < 500) return null;
  return ((last.doneBytes - first.doneBytes) * 1000) / (last.at - first.at);
}
