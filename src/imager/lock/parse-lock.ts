import * as z from "zod";
import { BerryError } from "../../core/errors.ts";
import type { Lock, LockedImage, LockedPackage } from "./lock.ts";
import { lockVersion } from "./render-lock.ts";

const text = z
  .string()
  .min(1)
  .regex(/^[^\0-\x1f]*$/, "text without control characters");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits");
const nodes = z.array(text).min(1);

const headSchema = z.strictObject({
  format: z.literal("berry.lock"),
  version: z.literal(lockVersion),
  nodes: z.array(text),
});
const itemSchemas = {
  target: z.strictObject({ target: text, nodes: nodes.optional() }),
  rootfs: z.strictObject({
    rootfs: z.url({ protocol: /^https?$/ }),
    sha256,
    signing_key: z.string().regex(/^[0-9A-F]{40}$/, "40 upper-case hexadecimal digits"),
    nodes: nodes.optional(),
  }),
  berry: z.strictObject({ berry: z.literal("/usr/bin/berry"), sha256, nodes: nodes.optional() }),
  package: z.strictObject({
    package: text,
    version: text,
    architecture: text,
    sha256: sha256.optional(),
    source: z.enum(["rootfs", "file", "script"]).optional(),
    removed: z.literal(true).optional(),
    nodes: nodes.optional(),
  }),
} as const;

interface Draft {
  target: string | null;
  rootfs: LockedImage["rootfs"];
  berrySha256: string | null;
  readonly packages: Map<string, LockedPackage>;
}

/**
 * What a berry.lock says.
 * @param file as messages name it
 * @throws BerryError `config`, one `file: line N: problem` a line
 */
export function parseLock(file: string, content: string): Lock {
  const problems: string[] = [];
  const drafts = new Map<string, Draft>();
  let known: readonly string[] | null = null;
  for (const [index, line] of content.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const complain = (problem: string): void => void problems.push(`${file}: line ${index + 1}: ${problem}`);
    const value = jsonObject(line);
    if (typeof value === "string") {
      complain(value);
    } else if (known === null) {
      known = readHead(value, complain);
      // without the first line, nothing after it can be judged
      if (known === null) break;
      for (const node of known)
        drafts.set(node, { target: null, rootfs: null, berrySha256: null, packages: new Map() });
    } else {
      readItem(value, drafts, complain);
    }
  }
  if (known === null && problems.length === 0) problems.push(`${file}: line 1: empty`);
  if (problems.length === 0) {
    for (const [node, { target }] of drafts)
      if (target === null) problems.push(`${file}: no line says the target of ${node}`);
  }
  if (problems.length > 0) throw damaged(file, problems);
  return Object.fromEntries(
    [...drafts].map(([node, draft]) => [
      node,
      { ...draft, target: draft.target ?? "", packages: [...draft.packages.values()] },
    ]),
  );
}

const shownProblems = 20;
const newerFormat = "a newer berry wrote it";

function damaged(file: string, problems: readonly string[]): BerryError {
  const more = problems.length - shownProblems;
  return new BerryError(
    "config",
    [...problems.slice(0, shownProblems), ...(more > 0 ? [`and ${more} more`] : [])].join("\n"),
    {
      hint: problems.some((problem) => problem.endsWith(newerFormat))
        ? "use the berry that wrote it, or a newer one"
        : `berry alone writes this file: take it from version control again, or remove ${file}, and a bake (without --locked) writes it anew`,
    },
  );
}

/** @returns what is wrong where it is none */
function jsonObject(line: string): Readonly<Record<string, unknown>> | string {
  if (/^(<{7}|={7}|>{7}|\|{7})/.test(line)) return "a merge conflict that nobody has resolved";
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return "not a JSON object";
    // Checked boundary: an object that is no array has strings as its keys.
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return "not JSON";
  }
}

type Complain = (problem: string) => void;

function readHead(value: Readonly<Record<string, unknown>>, complain: Complain): readonly string[] | null {
  const { version } = value;
  if (value["format"] === "berry.lock" && typeof version === "number" && version > lockVersion) {
    complain(`version ${version} of the format, and this berry knows ${lockVersion}: ${newerFormat}`);
    return null;
  }
  const head = check(headSchema, value, complain);
  if (head !== null && new Set(head.nodes).size < head.nodes.length)
    complain("nodes: one stands there twice");
  return head?.nodes ?? null;
}

function readItem(
  value: Readonly<Record<string, unknown>>,
  drafts: ReadonlyMap<string, Draft>,
  complain: Complain,
): void {
  const having = (named: readonly string[] | undefined): Draft[] =>
    (named ?? [...drafts.keys()]).flatMap((node) => {
      const draft = drafts.get(node);
      if (draft === undefined) complain(`nodes: the first line has no ${node}`);
      return draft === undefined ? [] : [draft];
    });
  if ("package" in value) {
    const item = check(itemSchemas.package, value, complain);
    if (item === null) return;
    const { package: name, version, architecture, source: origin = "mirror", removed = false } = item;
    if (origin === "rootfs" && (item.sha256 !== undefined || removed))
      return complain(`${name}: what came in the tarball has neither sha256 nor removed`);
    const key = removed ? `${name} ${architecture} ${version}` : `${name} ${architecture}`;
    const locked: LockedPackage = {
      name,
      version,
      architecture,
      origin,
      sha256: item.sha256 ?? null,
      removed,
    };
    for (const { packages } of having(item.nodes)) {
      if (packages.has(key)) return complain(`${name}: an image cannot have it twice`);
      packages.set(key, locked);
    }
  } else if ("rootfs" in value) {
    const item = check(itemSchemas.rootfs, value, complain);
    for (const draft of item === null ? [] : having(item.nodes)) {
      if (draft.rootfs !== null) return complain("rootfs: an image cannot have two");
      draft.rootfs = {
        url: item?.rootfs ?? "",
        sha256: item?.sha256 ?? "",
        signingKey: item?.signing_key ?? "",
      };
    }
  } else if ("berry" in value) {
    const item = check(itemSchemas.berry, value, complain);
    for (const draft of item === null ? [] : having(item.nodes)) {
      if (draft.berrySha256 !== null) return complain("berry: an image cannot have two");
      draft.berrySha256 = item?.sha256 ?? null;
    }
  } else if ("target" in value) {
    const item = check(itemSchemas.target, value, complain);
    for (const draft of item === null ? [] : having(item.nodes)) {
      if (draft.target !== null) return complain("target: an image cannot have two");
      draft.target = item?.target ?? null;
    }
  } else complain("neither target, rootfs, berry nor package");
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  complain: Complain,
): z.infer<Schema> | null {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const key = issue.path.map(String).join(".");
    complain(key === "" ? issue.message : `${key}: ${issue.message}`);
  }
  return null;
}
