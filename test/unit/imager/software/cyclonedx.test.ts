import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { describe, expect, test } from "bun:test";
import { imageSoftware } from "../../../../src/imager/software/compose-software.ts";
import { softwareList } from "../../../../src/imager/software/cyclonedx.ts";
import type { SoftwareListRequest } from "../../../../src/imager/software/cyclonedx.ts";
import { archNotes, debianRelease, digestOf, dpkgStanza, pacmanDescription } from "./software-values.ts";

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

const layers = [
  { directory: "/cache/rootfs", origin: "rootfs" },
  { directory: "/cache/system", origin: "mirror" },
] as const;

const arch: SoftwareListRequest = {
  node: "pi1",
  software: imageSoftware(
    {
      target: "archlinuxarm-rpi-aarch64",
      family: "pacman",
      rootfs: { url: "http://example.org/os/rootfs.tar.gz", signingKey: "A".repeat(40) },
      berry: { sha256: digestOf("berry"), version: "0.1.0" },
      layers,
    },
    [
      archNotes("rootfs", { bash: "5-1" }, ["rootfs.tar.gz"]),
      {
        ...archNotes("mirror", {}, ["python-pip-1:24.0-2-aarch64.pkg.tar.zst"]),
        database:
          pacmanDescription("bash", "5-1", "%LICENSE%\nGPL-3.0-or-later\n\n") +
          pacmanDescription("python-pip", "1:24.0-2", "%LICENSE%\nMIT OR Apache-2.0\ncustom:Odd & <one>\n\n"),
      },
    ],
  ),
  berryVersion: "0.1.0",
  epochSeconds: null,
  hash: digestOf,
};

const debian: SoftwareListRequest = {
  ...arch,
  node: "pi2",
  software: imageSoftware(
    {
      target: "debian-arm64",
      family: "apt",
      rootfs: null,
      berry: { sha256: digestOf("berry"), version: null },
      layers: layers.slice(1),
    },
    [
      {
        origin: "mirror",
        database:
          dpkgStanza("libstdc++6", "14.2.0-19", "Source: gcc-14\n") + dpkgStanza("vim", "2:9.1.1-2+b1"),
        digests: `${digestOf("vim")}  vim_2%3a9.1.1-2+b1_arm64.deb\n`,
        osRelease: debianRelease,
      },
    ],
  ),
  epochSeconds: 1_735_689_600,
};

describe("a software list", () => {
  test.each([
    ["Arch Linux ARM", arch],
    ["Debian", debian],
    ["nothing at all", { ...arch, software: { ...arch.software, packages: [], rootfs: null, berry: null } }],
  ])("of %s is valid CycloneDX 1.6", async (_system, request) => {
    expect(await validator.validate(softwareList(request))).toBeNull();
  });
  test("that breaks the schema would be told", async () => {
    const broken = softwareList(arch).replace('"operating-system"', '"operation-system"');
    expect(await validator.validate(broken)).not.toBeNull();
  });
  test("is the same for the same image, and its serial number another one for another image", () => {
    expect(softwareList({ ...arch, software: structuredClone(arch.software) })).toBe(softwareList(arch));
    const serial = (request: SoftwareListRequest): unknown => JSON.parse(softwareList(request)).serialNumber;
    expect(serial(arch)).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(serial({ ...arch, node: "pi2" })).not.toBe(serial(arch));
  });
  test("tells no time but that of SOURCE_DATE_EPOCH", () => {
    expect(JSON.parse(softwareList(arch)).metadata.timestamp).toBeUndefined();
    expect(JSON.parse(softwareList(debian)).metadata.timestamp).toBe("2025-01-01T00:00:00.000Z");
  });
  test("has the operating system, berry, the tarball and every package, each with what is known of it", () => {
    const { metadata, components, dependencies } = JSON.parse(softwareList(arch));
    expect(metadata.component).toMatchObject({ name: "pi1" });
    expect(components).toMatchObject([
      { type: "operating-system", name: "archarm", description: "Arch Linux ARM" },
      { type: "application", name: "berry", version: "0.1.0", hashes: [{ content: digestOf("berry") }] },
      {
        type: "file",
        name: "rootfs.tar.gz",
        hashes: [{ alg: "SHA-256", content: digestOf("rootfs.tar.gz") }],
        externalReferences: [{ url: "http://example.org/os/rootfs.tar.gz" }],
      },
      { name: "bash", purl: "pkg:alpm/archarm/bash@5-1?arch=aarch64" },
      {
        name: "python-pip",
        version: "1:24.0-2",
        purl: "pkg:alpm/archarm/python-pip@1:24.0-2?arch=aarch64",
        hashes: [{ alg: "SHA-256", content: digestOf("python-pip-1:24.0-2-aarch64.pkg.tar.zst") }],
        licenses: [{ license: { name: "MIT OR Apache-2.0" } }, { license: { name: "custom:Odd & <one>" } }],
      },
    ]);
    expect(components[3].hashes).toBeUndefined();
    expect(dependencies).toContainEqual({
      ref: "system",
      dependsOn: components.slice(3).map((each: { purl: string }) => each.purl),
    });
  });
  test("knows Debian's release and its source packages", () => {
    const { components } = JSON.parse(softwareList(debian));
    expect(components[0]).toMatchObject({ type: "operating-system", name: "debian", version: "13" });
    expect(components[1]).not.toHaveProperty("version");
    expect(components.slice(2).map((each: { purl: string }) => each.purl)).toEqual([
      "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=arm64&distro=debian-13&upstream=gcc-14",
      "pkg:deb/debian/vim@2:9.1.1-2%2Bb1?arch=arm64&distro=debian-13",
    ]);
    expect(components[3].hashes).toEqual([{ alg: "SHA-256", content: digestOf("vim") }]);
  });
});
