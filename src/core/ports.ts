/** Where a role says what happened. Lines go to stderr; `hint` is what the reader can do about it. */
export interface Log {
  info(message: string): void;
  warn(message: string, hint?: string): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment of the process: nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is closed then. Never logged. */
  readonly stdin?: string | Uint8Array;
  /** Called with every line of stdout and stderr as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs programs. No shell ever sees the arguments. */
export interface CommandRunner {
  /**
   * Resolves when the process has ended, whatever its exit code.
   * Aborting kills the process and everything that it started, then rejects with the signal's reason.
   * @throws BerryError `unavailable` when the program does not exist
   */
  run(argv: readonly string[], options: CommandOptions, signal: AbortSignal): Promise<CommandResult>;
}
