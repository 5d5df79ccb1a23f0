import { type Check, type Flaw, show } from "../../config/problem.ts";
import { BerryError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { checkTarget, isTargetPath } from "../../config/names.ts";
import type { Given } from "./decide.ts";

/** Judges `--target`: a path, or the name of a target that berry ships. */
export function checkShippedTarget(target: string, shipped: readonly string[]): Flaw | null {
  const flaw = checkTarget(target);
  if (flaw !== null || isTargetPath(target) || shipped.includes(target)) return flaw;
  const meant = nearest(target, shipped);
  return {
    problem: "no target of that name",
    remedy: meant === undefined ? `use ${shipped.join(" or ")}` : `did you mean ${meant}?`,
  };
}

/** @throws BerryError `usage` when the value of a flag is wrong */
export function refuseFlaw(flag: string, value: string | undefined, check: Check): string | undefined {
  const flaw = value === undefined ? null : check(value);
  if (flaw !== null)
    throw new BerryError("usage", `--${flag} ${show(value)}: ${flaw.problem}`, { hint: flaw.remedy });
  return value;
}

/**
 * @param isTerminal whether somebody can be asked @param country what `--country` defaults to
 * @throws BerryError `usage` when something can neither be asked nor guessed
 */
export function refuseGaps(given: Given, yes: boolean, isTerminal: boolean, country: string | null): void {
  if (given.ssid === undefined && (given.pskFile ?? given.country) !== undefined && yes) {
    throw new BerryError("usage", "--psk-file and --country belong to a wireless network", {
      hint: "name it with --ssid",
    });
  }
  if (!yes && !isTerminal) {
    throw new BerryError("usage", "standard input is not a terminal: nobody can be asked", {
      hint: "berry init --yes takes the defaults; flags change them",
    });
  }
  if (!yes || given.ssid === undefined) return;
  if (given.pskFile === undefined) {
    throw new BerryError("usage", "--ssid with --yes needs the passphrase of the network", {
      hint: "write it to a file (chmod 600) and name that with --psk-file",
    });
  }
  if (given.country === undefined && country === null) {
    throw new BerryError("usage", "--ssid with --yes needs the country of the radio", {
      hint: "add --country and its two letters, such as --country CN",
    });
  }
}
