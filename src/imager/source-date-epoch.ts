import type { Node } from "../config/cluster.ts";
import { BerryError } from "../core/errors.ts";
import type { HostFacts } from "./facts/host-facts.ts";
import type { Problem } from "./preflight.ts";

/**
 * The seconds since 1970 that SOURCE_DATE_EPOCH says; null: it is not set, or empty
 * (https://reproducible-builds.org/specs/source-date-epoch/).
 * @throws BerryError `usage` for anything but a whole number from 1 up to now
 */
export function parseSourceDateEpoch(text: string | undefined, nowSeconds: number): number | null {
  if (text === undefined || text === "") return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  // to e2fsprogs, 0 is no date
  if (!Number.isSafeInteger(seconds) || seconds === 0) {
    throw new BerryError(
      "usage",
      `SOURCE_DATE_EPOCH has to be whole seconds since 1970, from 1 on, got ${JSON.stringify(text)}`,
      { hint: "SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) berry imager bake" },
    );
  }
  // what the bake itself makes is told apart by being younger
  if (seconds > nowSeconds) {
    throw new BerryError("usage", `SOURCE_DATE_EPOCH lies in the future: ${text}`, {
      hint: "set it to the date of berry.toml's last change, or correct this machine's clock",
    });
  }
  return seconds;
}

/** The oldest e2fsprogs whose images were seen to be the same, byte by byte. */
const triedE2fsprogs = "1.47.0";

/** What keeps these nodes' images from being the same, byte by byte, when they are baked again. Pure. */
export function unreproducible(
  nodes: readonly Node[],
  { sourceDateEpoch, mke2fsVersion }: Pick<HostFacts, "sourceDateEpoch" | "mke2fsVersion">,
): Problem[] {
  if (sourceDateEpoch === null) return [];
  const salted = nodes.filter(({ user }) => user.password?.kind === "file").map(({ name }) => name);
  const isOld =
    mke2fsVersion !== null && mke2fsVersion.localeCompare(triedE2fsprogs, "en", { numeric: true }) < 0;
  return [
    ...(salted.length === 0
      ? []
      : [
          {
            what: `SOURCE_DATE_EPOCH is set, but every bake gives the password of ${salted.join(", ")} a salt of its own`,
            remedy: "use password_hash in place of password_file for images that are the same byte by byte",
          },
        ]),
    ...(isOld
      ? [
          {
            what: `SOURCE_DATE_EPOCH is set, but e2fsprogs ${mke2fsVersion} may make another file system each time`,
            remedy: `bake on a host with e2fsprogs ${triedE2fsprogs} or newer`,
          },
        ]
      : []),
  ];
}

/** What programs of the host and of the image are told; e2fsprogs before 1.47.1 knows only a variable of its own. */
export function epochEnvironment(epochSeconds: number | null): Record<string, string> {
  if (epochSeconds === null) return {};
  return { SOURCE_DATE_EPOCH: String(epochSeconds), E2FSPROGS_FAKE_TIME: String(epochSeconds) };
}
