import * as z from "zod";
import { descend } from "../../config/parse-table.ts";
import { formatProblem, show, type ConfigProblem } from "../../config/problem.ts";
import { BerryError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { shippedTargets } from "./shipped-targets.ts";
import { targetSchema, type Target } from "./target.ts";

/** The armoured public key of a tarball's signer, or where it is; null: the target has no tarball. */
export type SigningKey = { readonly armoured: string } | { readonly url: string } | null;

export interface LoadedTarget {
  readonly target: Target;
  readonly signingKey: SigningKey;
}

/** The names of the targets that are part of berry, in alphabetical order. */
export function shippedTargetNames(): readonly string[] {
  return Object.keys(shippedTargets).toSorted();
}

/** Every target that is part of berry. */
export function listTargets(): readonly LoadedTarget[] {
  return shippedTargetNames().map(shippedTarget);
}

/** @throws BerryError `config` when berry has no target of that name */
export function shippedTarget(name: string): LoadedTarget {
  const shipped = Object.hasOwn(shippedTargets, name) ? shippedTargets[name] : undefined;
  if (shipped === undefined) {
    const meant = nearest(name, shippedTargetNames());
    const remedy = meant === undefined ? "" : `did you mean ${meant}? `;
    throw new BerryError("config", `unknown target ${show(name)}`, {
      hint: `${remedy}berry has ${shippedTargetNames().join(", ")}; a target of your own is named by its path, such as ./mine.toml`,
    });
  }
  const file = `targets/${shipped.file}`;
  const target = parseTarget(file, shipped.content);
  return { target, signingKey: signingKeyOf(target, file, (keyFile) => shipped.keys[keyFile] ?? null) };
}

/**
 * Finds the key of the target's tarball.
 *
 * @param readKey the text of `signing_key_file`; null: there is none
 * @throws BerryError `no-input` when it is missing
 */
export function signingKeyOf(
  target: Target,
  file: string,
  readKey: (keyFile: string) => string | null,
): SigningKey {
  if (target.family !== "pacman") return null;
  const { signing_key: fingerprint, signing_key_file: keyFile, signing_key_url: url } = target.rootfs;
  if (url !== undefined) return { url };
  const armoured = keyFile === undefined ? null : readKey(keyFile);
  if (armoured !== null) return { armoured };
  throw new BerryError("no-input", `${file}: rootfs.signing_key_file: no such file, got ${show(keyFile)}`, {
    hint: `export it: gpg --armor --export --export-options export-minimal ${fingerprint} > ${keyFile ?? "key.asc"}`,
  });
}

/**
 * Validates the content of a target file, all of it at once.
 *
 * @param file as messages name it
 * @throws BerryError `config`, one `file: key: problem, got X; remedy` a line
 */
export function parseTarget(file: string, content: unknown): Target {
  const result = targetSchema.safeParse(content, { reportInput: true });
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => problemsOf(file, issue, content));
  const lines = problems.map(formatProblem);
  throw new BerryError("config", lines.join("\n"), {
    hint: `compare it with a target of berry's own: berry imager targets lists them`,
  });
}

function problemsOf(file: string, issue: z.core.$ZodIssue, content: unknown): readonly ConfigProblem[] {
  const at = (path: readonly PropertyKey[]) => path.reduce<string>(joinKey, "");
  const value = issue.path.reduce(descend, content);
  const one = (problem: string, remedy: string): readonly ConfigProblem[] => [
    { file, key: at(issue.path), problem, found: value === undefined ? null : show(value), remedy },
  ];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const meant = nearest(key, knownKeys());
        return {
          file,
          key: at([...issue.path, key]),
          problem: "unknown key",
          found: null,
          remedy:
            meant === undefined || meant === key
              ? "remove it, or move it to the table that has it"
              : `did you mean ${meant}?`,
        };
      });
    case "invalid_type":
      if (value === undefined) return one("missing", `add it: ${articles[issue.expected] ?? issue.expected}`);
      return one("of the wrong type", `write ${articles[issue.expected] ?? issue.expected}`);
    case "invalid_value":
      return one("not one of the choices", `use ${issue.values.map(show).join(" or ")}`);
    case "invalid_union":
      return one(value === undefined ? "missing" : "not one of the choices", 'use "pacman" or "apt"');
    case "too_small":
      return one("too small", `use ${issue.minimum} or more`);
    case "too_big":
      return one("too big", `use ${issue.maximum} or less`);
    case "invalid_format":
      return one(
        `not what it should be`,
        issue.format === "url" ? "use an http or https address" : `use ${formatOf(issue)}`,
      );
    case "custom":
      return [
        {
          file,
          key: at(issue.path),
          problem: "incomplete or contradictory",
          found: null,
          remedy: issue.message,
        },
      ];
    case "not_multiple_of":
    case "invalid_key":
    case "invalid_element":
      return one(issue.message, "see the other targets for an example");
  }
}

function formatOf(issue: z.core.$ZodIssueInvalidStringFormat): string {
  return issue.message.startsWith("Invalid") ? "lower-case letters, digits and hyphens" : issue.message;
}

const articles: Readonly<Record<string, string>> = {
  string: "a string between quotes",
  array: "a list between square brackets",
  object: "a table",
  number: "a number without quotes",
  int: "a whole number",
};

function joinKey(path: string, step: PropertyKey): string {
  if (typeof step === "number") return `${path}[#${step + 1}]`;
  return path === "" ? String(step) : `${path}.${String(step)}`;
}

/** Every key that a target file may have, whatever the table. */
function knownKeys(): ReadonlySet<string> {
  const keys = new Set<string>();
  const collect = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [name, inner] of Object.entries(node)) {
      if (name === "properties") for (const key of Object.keys(inner as object)) keys.add(key);
      collect(inner);
    }
  };
  collect(z.toJSONSchema(targetSchema, { io: "input", unrepresentable: "any" }));
  return keys;
}
