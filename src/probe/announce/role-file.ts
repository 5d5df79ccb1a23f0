import { readFileSync } from "node:fs";
import { checkRole } from "../../config/names.ts";
import type { Flaw } from "../../config/problem.ts";
import { BerryError, codeOf } from "../../core/errors.ts";

/** Where the imager notes what a node is: `role = "monitor"`. */
export const nodeFile = "/etc/berry/node.toml";

/**
 * The role that a node.toml names.
 * @returns null where there is no such file, or no role in it
 * @throws BerryError `config` when the file is wrong, `no-permission` when it may not be read
 */
export function readRole(file: string): string | null {
  const role = parse(file)["role"];
  if (role === undefined) return null;
  if (typeof role !== "string")
    throw notARole(file, role, { problem: "not a text", remedy: 'role = "node"' });
  const flaw = checkRole(role);
  if (flaw !== null) throw notARole(file, role, flaw);
  return role;
}

function notARole(file: string, role: unknown, { problem, remedy }: Flaw): BerryError {
  return new BerryError("config", `${file}: role: ${problem}, got ${JSON.stringify(role)}`, { hint: remedy });
}

function parse(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return {};
    throw new BerryError("no-permission", `cannot read ${file}`, { cause, hint: `ls -l ${file}` });
  }
  try {
    return Bun.TOML.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new BerryError("config", `${file}: not TOML`, { cause, hint: 'it should say: role = "node"' });
  }
}
