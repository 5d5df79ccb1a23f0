import type { BakeEvent } from "../imager/event.ts";

export interface RunningStep {
  /** As the events number it. */
  readonly step: number;
  /** The how-manieth step it is of those that were started, from 1. */
  readonly ordinal: number;
  readonly layer: string;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly doneBytes: number;
  readonly totalBytes: number | null;
  /** The newest lines that its programs wrote, oldest first. */
  readonly output: readonly string[];
}

export interface FinishedStep extends Pick<RunningStep, "ordinal" | "layer" | "title" | "doneBytes"> {
  readonly seconds: number;
  readonly emulatedSeconds: number;
}

export type BakedImage = Extract<BakeEvent, { event: "image" }>;
type WrittenKnownHosts = Extract<BakeEvent, { event: "known-hosts" }>;
export type Baked = Extract<BakeEvent, { event: "baked" }>;

/** A bake as far as its events have told. */
export interface BakeState {
  readonly nodes: readonly string[];
  /** How many steps were planned. */
  readonly steps: number;
  readonly started: number;
  readonly running: readonly RunningStep[];
  readonly finished: readonly FinishedStep[];
  readonly images: readonly BakedImage[];
  readonly knownHosts: WrittenKnownHosts | null;
  readonly baked: Baked | null;
}

export const bakeBegin: BakeState = {
  nodes: [],
  steps: 0,
  started: 0,
  running: [],
  finished: [],
  images: [],
  knownHosts: null,
  baked: null,
};

const keptOutputLines = 15;

/** The state after one more event; `now` in milliseconds since the epoch. */
export function advance(state: BakeState, event: BakeEvent, now: number): BakeState {
  switch (event.event) {
    case "planned":
      return { ...state, nodes: event.nodes, steps: event.steps };
    case "started": {
      const ordinal = state.started + 1;
      const { step, layer, title } = event;
      const begun = {
        step,
        ordinal,
        layer,
        title,
        startedAt: now,
        doneBytes: 0,
        totalBytes: null,
        output: [],
      };
      return { ...state, started: ordinal, running: [...state.running, begun] };
    }
    case "progress":
      return update(state, event.step, () => ({ doneBytes: event.doneBytes, totalBytes: event.totalBytes }));
    case "output":
      return update(state, event.step, ({ output }) => ({
        output: [...output, event.line].slice(-keptOutputLines),
      }));
    case "finished": {
      const done = state.running.find(({ step }) => step === event.step);
      if (done === undefined) return state;
      const { ordinal, layer, title, doneBytes } = done;
      const { seconds, emulatedSeconds } = event;
      return {
        ...state,
        running: state.running.filter((step) => step !== done),
        finished: [...state.finished, { ordinal, layer, title, doneBytes, seconds, emulatedSeconds }],
      };
    }
    case "image":
      return { ...state, images: [...state.images, event] };
    case "known-hosts":
      return { ...state, knownHosts: event };
    case "baked":
      return { ...state, baked: event };
    case "cached":
    case "cleaned":
    case "undone":
    case "warned":
    case "failed":
      return state;
  }
}

function update(
  state: BakeState,
  step: number,
  change: (step: RunningStep) => Partial<RunningStep>,
): BakeState {
  const running = state.running.map((one) => (one.step === step ? { ...one, ...change(one) } : one));
  return { ...state, running };
}
