import { describe, expect, test } from "bun:test";
import { distributionOf, installCommand, installCommands } from "../../../src/imager/install-command.ts";

const debian = 'PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\n';

describe("the distribution", () => {
  test.each([
    [debian, "debian"],
    ['NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', "debian"],
    ["ID=linuxmint\nID_LIKE='ubuntu debian'\n", "debian"],
    ["ID=arch\n", "arch"],
    ["ID=archarm\nID_LIKE=arch\n", "arch"],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"],
  ] as const)("is what %j says", (osRelease, expected) => {
    expect(distributionOf(osRelease, [])).toBe(expected);
  });
  test("is its own word, not that of a package manager which it packages for others", () => {
    expect(distributionOf(debian, ["apt-get", "pacman", "dnf"])).toBe("debian");
    expect(distributionOf("ID=arch\n", ["apt-get", "pacman"])).toBe("arch");
  });
  test("is told by the package manager where it is of no known kind", () => {
    expect(distributionOf("ID=other\n", ["pacman"])).toBe("arch");
    expect(distributionOf("", ["dnf"])).toBe("fedora");
    expect(distributionOf("ID=nixos\n", [])).toBeNull();
    expect(distributionOf("ID=constructor\n", [])).toBeNull();
  });
});

describe("the command", () => {
  const needs = ["b", "a", "b"].map((name) => ({
    program: name,
    debian: `${name}-deb`,
    arch: `${name}-arch`,
    fedora: `${name}-rpm`,
  }));
  test("names each package once", () => {
    expect(installCommand(needs, "debian")).toBe("sudo apt-get install --no-install-recommends a-deb b-deb");
    expect(installCommand(needs, "arch")).toBe("sudo pacman -S --needed a-arch b-arch");
    expect(installCommand(needs, "fedora")).toBe("sudo dnf install a-rpm b-rpm");
  });
  test("is one a system where the system is not known", () => {
    expect(installCommands(needs).split("\n")).toEqual([
      "Arch:   sudo pacman -S --needed a-arch b-arch",
      "Debian: sudo apt-get install --no-install-recommends a-deb b-deb",
      "Fedora: sudo dnf install a-rpm b-rpm",
    ]);
  });
});
