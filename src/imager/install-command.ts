/** A program and the packages that bring it. */
export interface Need {
  readonly program: string;
  readonly debian: string;
  readonly arch: string;
  readonly fedora: string;
}

/** Whose names packages have, and whose package manager installs them. */
export type Distribution = "arch" | "debian" | "fedora";

const installers: Readonly<Record<Distribution, string>> = {
  arch: "pacman -S --needed",
  debian: "apt-get install --no-install-recommends",
  fedora: "dnf install",
};

/** One command that installs the packages of all needs, each once. */
export function installCommand(needs: readonly Need[], distribution: Distribution): string {
  const packages = [...new Set(needs.map((need) => need[distribution]))].sort();
  return `sudo ${installers[distribution]} ${packages.join(" ")}`;
}

/** The same for whom it is not known which distribution it is: a line each. */
export function installCommands(needs: readonly Need[]): string {
  return [
    `Arch:   ${installCommand(needs, "arch")}`,
    `Debian: ${installCommand(needs, "debian")}`,
    `Fedora: ${installCommand(needs, "fedora")}`,
  ].join("\n");
}

const families: Readonly<Record<string, Distribution>> = {
  debian: "debian",
  ubuntu: "debian",
  arch: "arch",
  fedora: "fedora",
  rhel: "fedora",
};
const managers: Readonly<Record<string, Distribution>> = {
  "apt-get": "debian",
  pacman: "arch",
  dnf: "fedora",
};

/**
 * What this machine's packages are called. Its own word counts first: Debian packages pacman, and Arch apt.
 * @param osRelease the text of os-release(5); empty: there is none
 * @param programs names of programs that were found
 * @returns null where nothing says so
 */
export function distributionOf(osRelease: string, programs: readonly string[]): Distribution | null {
  const words = ["ID", "ID_LIKE"].flatMap((key) =>
    (new RegExp(`^${key}=["']?([^"'\\n]*)`, "m").exec(osRelease)?.[1] ?? "").split(/\s+/),
  );
  const [own] = words.flatMap((word) => (Object.hasOwn(families, word) ? (families[word] ?? []) : []));
  const [installed] = Object.keys(managers)
    .filter((name) => programs.includes(name))
    .map((name) => managers[name]);
  return own ?? installed ?? null;
}
