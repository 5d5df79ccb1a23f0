import { chmod, copyFile, lchown, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BerryError, isMissing } from "../../core/errors.ts";
import type { AddLines, Copy, MakeDirectory, Remove, SetLine, Symlink, Write } from "../step.ts";
import { namesIn } from "./names-in.ts";
import { pathInRoot, realPathInRoot } from "./root-path.ts";

/** Replaces whatever is at `path`, also a symbolic link, by a file of this content. */
export async function writeInRoot(
  step: Pick<Write, "root" | "path" | "content" | "mode" | "owner">,
): Promise<void> {
  const { path, place } = await preparePlace(step.root, step.path);
  await writeFile(place, step.content, { mode: 0o600 });
  await finish(step.root, place, step.owner, step.mode);
  await rename(place, path);
}

export async function copyIntoRoot(step: Copy): Promise<void> {
  const { path, place } = await preparePlace(step.root, step.path);
  try {
    await copyFile(step.source, place);
  } catch (cause) {
    throw new BerryError("no-input", `cannot copy ${step.source} into the image`, { cause });
  }
  const digest = await sha256(place);
  if (digest !== step.sha256) {
    await rm(place, { force: true });
    throw new BerryError("temporary", `${step.source} changed while the image was baked`, {
      hint: "run the bake again",
    });
  }
  await finish(step.root, place, step.owner, step.mode);
  await rename(place, path);
}

export async function makeDirectoryInRoot(step: MakeDirectory): Promise<void> {
  const path = await realPathInRoot(step.root, step.path);
  await mkdir(path, { recursive: true });
  await finish(step.root, path, step.owner, step.mode);
}

export async function symlinkInRoot(step: Symlink): Promise<void> {
  const { path, place } = await preparePlace(step.root, step.path);
  await symlink(step.target, place);
  await rename(place, path);
}

export async function removeInRoot(step: Remove): Promise<void> {
  for (const wanted of step.paths) {
    const path = await pathInRoot(step.root, wanted);
    const pattern = basename(path);
    const names = pattern.includes("*") ? (await namesIn(dirname(path))).filter(matches(pattern)) : [pattern];
    for (const name of names) await rm(join(dirname(path), name), { recursive: true, force: true });
  }
}

/** `*` stands for anything, also for a dot at the beginning. */
function matches(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  const whole = new RegExp(`^${parts.join("[^]*")}$`);
  return (name) => whole.test(name);
}

export async function setLineInRoot(step: SetLine): Promise<void> {
  await changeLines(step, (line) => !line.startsWith(step.startsWith), [step.line]);
}

export async function addLinesInRoot(step: AddLines): Promise<void> {
  await changeLines(step, () => true, step.lines);
}

/** Empty lines at the end of what is kept go. */
async function changeLines(
  step: { readonly root: string; readonly path: string },
  isKept: (line: string) => boolean,
  added: readonly string[],
): Promise<void> {
  const path = await realPathInRoot(step.root, step.path);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (text === null) {
    await writeInRoot({ ...step, content: `${added.join("\n")}\n`, mode: 0o644, owner: "0:0" });
    return;
  }
  const kept = text.split("\n").filter(isKept);
  while (kept.at(-1) === "") kept.pop();
  await writeFile(path, `${[...kept, ...added].join("\n")}\n`);
}

/** Ids of a `USER:GROUP` pair, names looked up in the image's own databases. */
export async function ownerIds(root: string, owner: string): Promise<{ uid: number; gid: number }> {
  const [user = "", group = ""] = owner.split(":");
  return {
    uid: await lookUp(root, "/etc/passwd", user),
    gid: await lookUp(root, "/etc/group", group),
  };
}

async function lookUp(root: string, database: string, name: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const path = await realPathInRoot(root, database);
  const lines = (await readFile(path, "utf8")).split("\n").map((line) => line.split(":"));
  const id = lines.find(([first]) => first === name)?.[2];
  if (id !== undefined) return Number(id);
  const known = lines.map(([first]) => first).filter(Boolean);
  throw new BerryError(
    "config",
    `the image has no ${database === "/etc/passwd" ? "user" : "group"} ${name}`,
    {
      hint: `it has ${known.join(", ")}`,
    },
  );
}

async function preparePlace(root: string, wanted: string): Promise<{ path: string; place: string }> {
  const path = await pathInRoot(root, wanted);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const place = `${path}.berry-new`;
  await rm(place, { force: true });
  return { path, place };
}

/** Owner before mode: chown clears the set-user-id bits. */
async function finish(root: string, place: string, owner: string, mode: number): Promise<void> {
  const { uid, gid } = await ownerIds(root, owner);
  await lchown(place, uid, gid);
  await chmod(place, mode);
}

async function sha256(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}
