/** Where text goes: one of the standard streams. */
export interface Output {
  /** Writes text as it is; a reader that went away (`berry … | head`) is no error. */
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Columns of the terminal now; 80 where there is none, or where it does not know, as serial ones. */
  readonly columns: number;
  /** Whether colours and bold may be written. */
  readonly color: boolean;
}

/** What of a standard stream of the process is used here. */
export interface StandardStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

export interface ColorFacts {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--no-color` was given. */
  readonly refused: boolean;
}

/** Colour needs a terminal that is not dumb, no NO_COLOR (any text; https://no-color.org) and no `--no-color`. */
export function mayColor(isTerminal: boolean, facts: ColorFacts): boolean {
  const { NO_COLOR: noColor = "", TERM: terminal } = facts.env;
  return isTerminal && !facts.refused && noColor === "" && terminal !== "dumb";
}

/**
 * @param onFailure hears, once, that what was written did not arrive: a full disk, an input/output error
 * @returns an output that falls silent when its reader goes away, or after a failure
 */
export function createOutput(
  stream: StandardStream,
  facts: ColorFacts,
  onFailure: (error: Error) => void,
): Output {
  const isTerminal = stream.isTTY === true;
  let isSilent = false;
  stream.on("error", (error) => {
    if (!isSilent && (!("code" in error) || error.code !== "EPIPE")) onFailure(error);
    isSilent = true;
  });
  return {
    write(text) {
      if (!isSilent) stream.write(text);
    },
    isTerminal,
    get columns() {
      return stream.columns || 80;
    },
    color: mayColor(isTerminal, facts),
  };
}
