import { describe, expect, test } from "bun:test";
import { compareImages, refuseDifferences, strangers } from "../../../../src/imager/lock/compare-lock.ts";
import type { LockedPackage } from "../../../../src/imager/lock/lock.ts";
import { bash, lockedImage, lockedPackage, refusalOf } from "./lock-values.ts";

const vim = lockedPackage("vim", "9.1.0-1");
const htop = lockedPackage("htop", "3-1", { removed: true });
const locked = lockedImage([bash, htop, vim]);

const withPackages = (...packages: LockedPackage[]) => lockedImage(packages);

describe("an image", () => {
  test("that is what the lock says does not differ, whatever was installed on the way", () => {
    expect(compareImages(locked, locked)).toEqual([]);
    expect(compareImages(locked, withPackages(bash, vim))).toEqual([]);
    expect(compareImages(withPackages(bash, vim), locked)).toEqual([]);
  });
  test.each([
    [
      "another version",
      [bash, lockedPackage("vim", "9.1.1-1")],
      { what: "vim (aarch64)", locked: "9.1.0-1", found: "9.1.1-1" },
    ],
    [
      "a package more",
      [bash, vim, lockedPackage("iw", "6-1")],
      { what: "iw (aarch64)", locked: null, found: "6-1" },
    ],
    ["a package less", [vim], { what: "bash (aarch64)", locked: "5-1", found: null }],
    [
      "a package that should be gone",
      [bash, vim, { ...htop, removed: false }],
      { what: "htop (aarch64)", locked: null, found: "3-1" },
    ],
  ])("with %s differs by that", (_what, packages, difference) => {
    expect(compareImages(locked, lockedImage(packages))).toEqual([{ ...difference, altered: false }]);
  });
  test("with other bytes under the same version is told apart from a new version", () => {
    const altered = { ...vim, sha256: "f".repeat(64) };
    expect(compareImages(locked, lockedImage([bash, altered]))).toMatchObject([
      { what: "vim (aarch64)", found: "9.1.0-1 (sha256 ffffffffffffffff…)", altered: true },
    ]);
    // that a digest is missing on either side is a difference, too
    expect(compareImages(locked, lockedImage([bash, { ...vim, sha256: null }]))).toHaveLength(1);
    expect(compareImages(lockedImage([bash, { ...vim, sha256: null }]), locked)).toHaveLength(1);
  });
  test.each([
    ["target", { target: "debian-arm64" }],
    ["berry", { berrySha256: "3".repeat(64) }],
    ["rootfs", { rootfs: null }],
    [
      "rootfs",
      {
        rootfs: {
          url: "http://example.org/rootfs.tar.gz",
          sha256: "4".repeat(64),
          signingKey: "A".repeat(40),
        },
      },
    ],
    [
      "rootfs' signing key",
      {
        rootfs: {
          url: "http://example.org/rootfs.tar.gz",
          sha256: "1".repeat(64),
          signingKey: "B".repeat(40),
        },
      },
    ],
  ])("of another %s differs by that", (what, changes) => {
    const differences = compareImages(locked, lockedImage([bash, vim], changes));
    expect(differences.map((each) => each.what)).toContain(what);
  });
});

test("what would be installed may be what is removed later, but nothing that the lock does not have", () => {
  const { packages } = locked;
  expect(strangers(packages, [htop, vim])).toEqual([]);
  expect(strangers(packages, [lockedPackage("iw", "6-1"), vim])).toMatchObject([{ what: "iw (aarch64)" }]);
});

describe("a refusal", () => {
  test("names every difference with both sides, and what to do", () => {
    const differences = compareImages(
      locked,
      withPackages(lockedPackage("iw", "6-1"), lockedPackage("vim", "9.1.1-1")),
    );
    const failure = refusalOf(() => refuseDifferences("the image of pi1", differences));
    expect(failure).toMatchObject({ kind: "unavailable" });
    expect(failure.message).toBe(
      [
        "the image of pi1 would not be what the lock says:",
        "  bash (aarch64): locked 5-1, not found",
        "  iw (aarch64): not in the lock, found 6-1",
        "  vim (aarch64): locked 9.1.0-1, found 9.1.1-1",
      ].join("\n"),
    );
    expect(failure.hint).toStartWith("bake without --locked to take what was found");
  });
  test("of other bytes is one of bad data", () => {
    const differences = compareImages(locked, lockedImage([bash, { ...vim, sha256: "f".repeat(64) }]));
    const failure = refusalOf(() => refuseDifferences("the image", differences));
    expect(failure).toMatchObject({ kind: "bad-data" });
  });
  test("needs a difference", () => {
    expect(() => refuseDifferences("the image", [])).not.toThrow();
  });
});
