import type { LayerNotes } from "../../../../src/imager/software/software.ts";

/** A desc file of pacman's local database. */
export function pacmanDescription(name: string, version: string, more = ""): string {
  return `%NAME%\n${name}\n\n%VERSION%\n${version}\n\n%BASE%\n${name}\n\n%DESC%\nNothing\n\n%ARCH%\naarch64\n\n%BUILDDATE%\n1735689600\n\n${more}%VALIDATION%\npgp\n\n`;
}

/** A stanza of dpkg's status. */
export function dpkgStanza(name: string, version: string, more = "", state = "install ok installed"): string {
  return `Package: ${name}\nStatus: ${state}\nPriority: optional\nMaintainer: Nobody <nobody@example.org>\nArchitecture: arm64\n${more}Version: ${version}\nDescription: nothing\n Version: 0-not-this-one\n .\n Package: nor-this\n\n`;
}

export const digestOf = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");

export const archRelease = 'NAME="Arch Linux ARM"\nPRETTY_NAME="Arch Linux ARM"\nID=archarm\nID_LIKE=arch\n';
export const debianRelease =
  'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n';

/** A layer of a pacman image with these packages in its database, and these files installed. */
export function archNotes(
  origin: LayerNotes["origin"],
  packages: Readonly<Record<string, string>>,
  files: readonly string[] = [],
): LayerNotes {
  return {
    origin,
    database: Object.entries(packages)
      .map(([name, version]) => pacmanDescription(name, version))
      .join(""),
    digests: files.map((file) => `${digestOf(file)}  ${file}\n`).join(""),
    osRelease: archRelease,
  };
}
