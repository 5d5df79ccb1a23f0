import { BerryError } from "../../../../src/core/errors.ts";
import type { Lock, LockedImage, LockedPackage } from "../../../../src/imager/lock/lock.ts";

export function lockedPackage(
  name: string,
  version: string,
  changes: Partial<LockedPackage> = {},
): LockedPackage {
  return {
    name,
    version,
    architecture: "aarch64",
    origin: "mirror",
    sha256: new Bun.CryptoHasher("sha256").update(`${name} ${version}`).digest("hex"),
    removed: false,
    ...changes,
  };
}

export const bash = lockedPackage("bash", "5-1", { origin: "rootfs", sha256: null });

export function lockedImage(
  packages: readonly LockedPackage[] = [],
  changes: Partial<LockedImage> = {},
): LockedImage {
  return {
    target: "archlinuxarm-rpi-aarch64",
    rootfs: {
      url: "http://example.org/rootfs.tar.gz",
      sha256: "1".repeat(64),
      signingKey: "A".repeat(40),
    },
    berrySha256: "2".repeat(64),
    packages,
    ...changes,
  };
}

/** Two nodes that share all but a package. */
export const cluster: Lock = {
  pi1: lockedImage([bash, lockedPackage("vim", "9.1.0-1")]),
  pi2: lockedImage([
    bash,
    lockedPackage("htop", "3-1", { removed: true }),
    lockedPackage("iw", "6-1"),
    lockedPackage("own-tool", "1-1", { origin: "script", sha256: null }),
    lockedPackage("vim", "9.1.0-1"),
  ]),
};

/** What is thrown. */
export function refusalOf(refuse: () => unknown): BerryError {
  try {
    refuse();
  } catch (thrown) {
    if (thrown instanceof BerryError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was refused");
}
