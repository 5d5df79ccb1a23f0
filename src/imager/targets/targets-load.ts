import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isTargetPath } from "../../config/names.ts";
import { readToml } from "../../config/read-toml.ts";
import {
  parseTarget,
  shippedTarget,
  shippedTargetNames,
  signingKeyOf,
  type LoadedTarget,
} from "./targets.ts";

/**
 * The target that berry.toml names.
 *
 * @param nameOrPath the name of a shipped target, or a path: with a `/`, or ending in `.toml`
 * @throws BerryError `config` when there is no such target or the file is wrong; `no-input` when a file is missing
 */
export async function loadTarget(nameOrPath: string): Promise<LoadedTarget> {
  if (!isTargetPath(nameOrPath)) return shippedTarget(nameOrPath);
  const { path, content } = await readToml(
    nameOrPath,
    `berry has the targets ${shippedTargetNames().join(", ")}`,
  );
  const target = parseTarget(nameOrPath, content);
  const keyFile = target.family === "pacman" ? target.rootfs.signing_key_file : undefined;
  const armoured = keyFile === undefined ? null : await readText(resolve(dirname(path), keyFile));
  return { target, signingKey: signingKeyOf(target, nameOrPath, () => armoured) };
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return null;
  }
}
