import { BerryError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { type Report, type Role, roles } from "./finding.ts";

const roleNames = Object.keys(roles) as readonly Role[];

/**
 * The roles that are named, each once, in the usual order; all where none is.
 * @throws BerryError `usage`
 */
export function namedRoles(words: readonly string[]): readonly Role[] {
  for (const word of words) {
    if (Object.hasOwn(roles, word)) continue;
    const meant = nearest(word, roleNames);
    throw new BerryError("usage", `there is no role ${word}`, {
      hint: meant === undefined ? `there are ${roleNames.join(", ")}` : `did you mean berry doctor ${meant}?`,
    });
  }
  return words.length === 0 ? roleNames : roleNames.filter((role) => words.includes(role));
}

/**
 * What of the machine's roles is missing; null: nothing that counts. A role that is named counts; else the usual ones of
 * a machine: bake and probe, on a Raspberry Pi cool and probe. A card that is not there is never missing.
 */
export function conclude(
  reports: readonly Report[],
  { isNamed, isPi }: { readonly isNamed: boolean; readonly isPi: boolean },
): BerryError | null {
  const usual: readonly Role[] = isPi ? ["cool", "probe"] : ["bake", "probe"];
  const failed = reports.filter(
    ({ role, level }) =>
      (level === "missing" && (isNamed || usual.includes(role))) || (level === "not here" && isNamed),
  );
  if (failed.length === 0) return null;
  const names = failed.map(({ role }) => role).join(" or ");
  return failed.every(({ level }) => level === "not here")
    ? new BerryError("unavailable", `this machine is not one to ${names}`, {
        hint: "run it on the Pi whose fan it is about",
      })
    : new BerryError("unavailable", `this machine cannot ${names} yet`, {
        hint: "the lines above say what mends it; berry doctor again says whether it did",
      });
}
