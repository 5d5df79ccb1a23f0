import { BerryError } from "../../core/errors.ts";
import type { LockedImage, LockedPackage } from "./lock.ts";

/** Something that is not as berry.lock has it. */
export interface Difference {
  readonly what: string;
  /** null: berry.lock does not have it. */
  readonly locked: string | null;
  /** null: it was not found. */
  readonly found: string | null;
  /** The same version, and other bytes. */
  readonly altered: boolean;
}

/** A package file, or a package that came in the tarball. */
export type FoundPackage = Pick<LockedPackage, "name" | "version" | "architecture" | "sha256">;

/** All in which an image differs from what is locked for it. */
export function compareImages(locked: LockedImage, found: LockedImage): Difference[] {
  return [
    ...compare("target", locked.target, found.target),
    ...compareRootfs(locked.rootfs, found.rootfs),
    ...compare("berry", shortDigest(locked.berrySha256), shortDigest(found.berrySha256)),
    ...comparePackages(locked.packages, found.packages),
  ];
}

export function compareRootfs(locked: LockedImage["rootfs"], found: LockedImage["rootfs"]): Difference[] {
  return [
    ...compare("rootfs", locked?.url ?? null, found?.url ?? null),
    ...compare("rootfs' signing key", locked?.signingKey ?? null, found?.signingKey ?? null),
    ...compare("rootfs", shortDigest(locked?.sha256 ?? null), shortDigest(found?.sha256 ?? null)).map(
      (each) => ({
        ...each,
        altered: locked?.url === found?.url,
      }),
    ),
  ];
}

function compare(what: string, locked: string | null, found: string | null): Difference[] {
  return locked === found ? [] : [{ what, locked, found, altered: false }];
}

function comparePackages(locked: readonly LockedPackage[], found: readonly LockedPackage[]): Difference[] {
  const there = found.filter(({ removed }) => !removed);
  const names = new Set(there.map(nameOf));
  return [
    ...strangers(
      locked.filter(({ removed }) => !removed),
      there,
    ),
    ...locked
      .filter((each) => !each.removed && !names.has(nameOf(each)))
      .map((each) => ({ what: titleOf(each), locked: each.version, found: null, altered: false })),
  ].toSorted((one, other) => (one.what < other.what ? -1 : 1));
}

/** Those of `found` that are not locked in this version with these bytes. */
export function strangers(locked: readonly LockedPackage[], found: readonly FoundPackage[]): Difference[] {
  const known = Map.groupBy(locked, nameOf);
  return found.flatMap((each): Difference[] => {
    const candidates = known.get(nameOf(each)) ?? [];
    const same = candidates.filter(({ version }) => version === each.version);
    if (same.some(({ sha256 }) => sha256 === each.sha256)) return [];
    const [altered] = same;
    if (altered !== undefined) {
      const tell = (sha256: string | null): string =>
        `${each.version} (${shortDigest(sha256) ?? "no sha256"})`;
      return [
        {
          what: titleOf(each),
          locked: tell(altered.sha256),
          found: tell(each.sha256),
          altered: altered.sha256 !== null && each.sha256 !== null,
        },
      ];
    }
    const versions = candidates.map(({ version }) => version).join(" and ");
    return [
      {
        what: titleOf(each),
        locked: versions === "" ? null : versions,
        found: each.version,
        altered: false,
      },
    ];
  });
}

const shownDifferences = 40;

/**
 * @param what was found to differ, such as `the image of pi1`
 * @throws BerryError `bad-data` when bytes differ under the same version, else `unavailable`; nothing where nothing differs
 */
export function refuseDifferences(what: string, differences: readonly Difference[]): void {
  if (differences.length === 0) return;
  const lines = differences.map(({ what: name, locked, found }) =>
    locked === null
      ? `  ${name}: not in the lock, found ${found ?? "nothing"}`
      : `  ${name}: locked ${locked}, ${found === null ? "not found" : `found ${found}`}`,
  );
  const altered = differences.some((each) => each.altered);
  const more = lines.length - shownDifferences;
  const shown = [...lines.slice(0, shownDifferences), ...(more > 0 ? [`  and ${more} more`] : [])];
  throw new BerryError(
    altered ? "bad-data" : "unavailable",
    `${what} would not be what the lock says:\n${shown.join("\n")}`,
    {
      hint: altered
        ? "the same version with other bytes: somebody rebuilt it, changed it, or edited the lock; if you know why, bake without --locked to take it and update the lock"
        : "bake without --locked to take what was found and update the lock (with --refresh for today's packages)",
    },
  );
}

function nameOf({ name, architecture }: FoundPackage): string {
  return `${name} ${architecture}`;
}

function titleOf({ name, architecture }: FoundPackage): string {
  return architecture === "all" || architecture === "any" ? name : `${name} (${architecture})`;
}

function shortDigest(sha256: string | null): string | null {
  return sha256 === null ? null : `sha256 ${sha256.slice(0, 16)}…`;
}
