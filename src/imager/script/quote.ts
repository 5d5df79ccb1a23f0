/** A variable of the script, and the value that it stands for. */
export type Variable = readonly [name: string, value: string];

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** A shell word that means exactly `text`; values of variables in it are written as the variables, longest first. */
export function word(text: string, variables: readonly Variable[] = []): string {
  const parts = split(text, variables);
  if (parts.every((part) => part.variable === null)) return plain.test(text) ? text : single(text);
  // a control character, a quote or what expands between double quotes keeps the literal parts in single ones
  if (parts.every((part) => part.variable !== null || !/["$`\\!]|[^ -~]/.test(part.text))) {
    const inner = parts.map((part, index) => {
      if (part.variable === null) return part.text;
      const next = parts[index + 1]?.text ?? "";
      return /^[A-Za-z0-9_[]/.test(next) || part.variable.length === 1
        ? `\${${part.variable}}`
        : `$${part.variable}`;
    });
    return `"${inner.join("")}"`;
  }
  return parts.map((part) => (part.variable === null ? single(part.text) : `"$${part.variable}"`)).join("");
}

/** A command line of words. The first is never taken for an assignment. */
export function commandLine(argv: readonly string[], variables: readonly Variable[] = []): string {
  const [program = "", ...rest] = argv;
  const first = program.includes("=") ? single(program) : word(program, variables);
  return [first, ...rest.map((each) => word(each, variables))].join(" ");
}

/** Feeds `content` to a command: a here-document where it ends with a line end, printf(1) where it does not. */
export function feed(command: string, content: string): string {
  if (content === "") return `${command} </dev/null`;
  if (!content.endsWith("\n")) return `printf %s ${single(content)} | ${command}`;
  const delimiter = delimiterFor(content);
  return `${command} <<'${delimiter}'\n${content}${delimiter}`;
}

/** A word that is no line of `content`. */
function delimiterFor(content: string): string {
  const lines = new Set(content.split("\n"));
  let delimiter = "EOF";
  while (lines.has(delimiter)) delimiter += "_";
  return delimiter;
}

/** One comment line, whatever `text` holds. */
export function comment(text: string): string {
  return `# ${text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")}`;
}

/** Between single quotes nothing has a meaning but the single quote. */
function single(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

interface Part {
  readonly text: string;
  /** null: literal. */
  readonly variable: string | null;
}

function split(text: string, variables: readonly Variable[]): Part[] {
  const longestFirst = [...variables].sort(([, a], [, b]) => b.length - a.length);
  for (const [name, value] of longestFirst) {
    const at = value === "" ? -1 : text.indexOf(value);
    if (at < 0) continue;
    return [
      ...split(text.slice(0, at), variables),
      { text: "", variable: name },
      ...split(text.slice(at + value.length), variables),
    ];
  }
  return text === "" ? [] : [{ text, variable: null }];
}
