import { readFile } from "node:fs/promises";
import { writeByRename } from "../../config/write-by-rename.ts";
import { BerryError, isMissing } from "../../core/errors.ts";
import { keyOf, knownHostsMark, renderKnownHosts } from "../known-hosts.ts";
import type { KnownHosts } from "../bake-plan.ts";
import type { WriteHostKey } from "../step.ts";
import { writeInRoot } from "./files.ts";

/** Both halves, as sshd(8) wants them. */
export async function writeHostKey({ root, source, path }: WriteHostKey): Promise<void> {
  const read = async (file: string): Promise<string> => {
    try {
      return await readFile(file, "utf8");
    } catch (cause) {
      throw new BerryError("no-input", `cannot read the host key ${file}`, { cause });
    }
  };
  const [content, publicKey] = [await read(source), await read(`${source}.pub`)];
  await writeInRoot({ root, path, content, mode: 0o600, owner: "0:0" });
  await writeInRoot({ root, path: `${path}.pub`, content: publicKey, mode: 0o644, owner: "0:0" });
}

/** @throws BerryError `cannot-create` when a file is in its place that berry did not write */
export async function refuseForeignKnownHosts({ path }: Pick<KnownHosts, "path">): Promise<void> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isMissing(error)) return "";
    throw error;
  });
  if (text === "" || text.split("\n").includes(knownHostsMark)) return;
  throw new BerryError(
    "cannot-create",
    `${path} was not written by berry, which keeps the nodes' host keys there`,
    {
      hint: "move it away, or name another folder for the images: [image] output in berry.toml",
    },
  );
}

/**
 * Writes the keys of all nodes that have one, whole or not at all.
 * @returns of how many nodes it knows a key
 */
export async function writeKnownHosts({ path, hosts }: KnownHosts): Promise<number> {
  const known = [];
  for (const { names, publicKeyFiles } of hosts) {
    const texts = await Promise.all(publicKeyFiles.map((file) => readFile(file, "utf8").catch(() => "")));
    const publicKeys = texts.filter((text) => keyOf(text) !== null);
    if (publicKeys.length > 0) known.push({ names, publicKeys });
  }
  await writeByRename(path, renderKnownHosts(known), { ending: "partial", mode: 0o644 });
  return known.length;
}
