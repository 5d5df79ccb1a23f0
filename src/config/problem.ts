/** What is wrong with one value, and what would be right. */
export interface Flaw {
  /** In lower case, without the value: `not a host name`. */
  readonly problem: string;
  /** What to write instead, or what to do. */
  readonly remedy: string;
  /** What was found, in words, where the value itself must not be shown; null: say nothing of it. */
  readonly found?: string | null;
}

/** Judges one value: null when there is nothing wrong with it. */
export type Check<Value = string> = (value: Value) => Flaw | null;

/** One thing that is wrong with a configuration file. Never holds a secret. */
export interface ConfigProblem {
  /** The file, as the user named it. */
  readonly file: string;
  /** Where in the file: `wifi.ssid`, `node[pi2].fan.pin`, `node[#2].name`; empty for the file as a whole. */
  readonly key: string;
  readonly problem: string;
  readonly found: string | null;
  readonly remedy: string;
}

/** Something that works, but that the user should know. */
export interface ConfigWarning {
  readonly file: string;
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

/** `file: key: problem, got X; remedy`, on one line. */
export function formatProblem(problem: ConfigProblem): string {
  const where = problem.key === "" ? problem.file : `${problem.file}: ${problem.key}`;
  const found = problem.found === null ? "" : `, got ${problem.found}`;
  return `${where}: ${problem.problem}${found}; ${problem.remedy}`;
}

/** A value as a message may show it: short, on one line, without control characters. */
export function show(value: unknown): string {
  if (typeof value === "string") {
    const text = value.length > 60 ? `${value.slice(0, 57)}…` : value;
    return JSON.stringify(text).replaceAll(
      /[\u007f-\u009f]/g,
      (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
    );
  }
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value);
  if (value === undefined || value === null) return "nothing";
  if (value instanceof Date) return "a date";
  return Array.isArray(value) ? "a list" : "a table";
}

/** The problems and warnings of one file, each counted once however many nodes share it. */
export interface Diagnosis {
  readonly problems: ConfigProblem[];
  readonly warnings: ConfigWarning[];
  /** `value` is shown unless the flaw says what was found. */
  add(key: string, flaw: Flaw, value: unknown): void;
  warn(key: string, message: string, hint: string): void;
}

export function startDiagnosis(file: string): Diagnosis {
  const seen = new Set<string>();
  const problems: ConfigProblem[] = [];
  const warnings: ConfigWarning[] = [];
  const once = (line: string): boolean => {
    const isNew = !seen.has(line);
    seen.add(line);
    return isNew;
  };
  return {
    problems,
    warnings,
    add(key, flaw, value) {
      const found = flaw.found === undefined ? show(value) : flaw.found;
      const problem = { file, key, problem: flaw.problem, found, remedy: flaw.remedy };
      if (once(formatProblem(problem))) problems.push(problem);
    },
    warn(key, message, hint) {
      if (once(`${key}: ${message}`)) warnings.push({ file, key, message, hint });
    },
  };
}
