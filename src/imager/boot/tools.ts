import { BerryError } from "../../core/errors.ts";

/** Absolute paths of the host's programs. */
export interface BootTools {
  readonly qemu: string;
  readonly setpriv: string;
  readonly cp: string;
  readonly mcopy: string;
  readonly mdir: string;
  readonly debugfs: string;
}

interface ToolPackages {
  readonly program: string;
  readonly arch: string;
  readonly debian: string;
  readonly fedora: string;
}

const packagesOf: Readonly<Record<keyof BootTools, ToolPackages>> = {
  qemu: {
    program: "qemu-system-aarch64",
    arch: "qemu-system-aarch64",
    debian: "qemu-system-arm",
    fedora: "qemu-system-aarch64",
  },
  setpriv: { program: "setpriv", arch: "util-linux", debian: "util-linux", fedora: "util-linux" },
  cp: { program: "cp", arch: "coreutils", debian: "coreutils", fedora: "coreutils" },
  mcopy: { program: "mcopy", arch: "mtools", debian: "mtools", fedora: "mtools" },
  mdir: { program: "mdir", arch: "mtools", debian: "mtools", fedora: "mtools" },
  debugfs: { program: "debugfs", arch: "e2fsprogs", debian: "e2fsprogs", fedora: "e2fsprogs" },
};

/** The search path of PATH and of the folders that an ordinary user's PATH leaves out on Debian. */
export function toolPath(environment: Readonly<Record<string, string>>): string {
  return [
    environment["PATH"] ?? "",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
  ]
    .filter((folder) => folder !== "")
    .join(":");
}

/**
 * Finds every program that a boot needs.
 * @throws BerryError `unavailable` that names all missing ones at once, and how to install them
 */
export function findBootTools(environment: Readonly<Record<string, string>>): BootTools {
  const path = toolPath(environment);
  const found = new Map<string, string>();
  const missing: ToolPackages[] = [];
  for (const [tool, packages] of Object.entries(packagesOf)) {
    const place = Bun.which(packages.program, { PATH: path });
    if (place === null) missing.push(packages);
    else found.set(tool, place);
  }
  if (missing.length > 0) throw missingTools(missing);
  const at = (tool: keyof BootTools): string => found.get(tool) ?? tool;
  return {
    qemu: at("qemu"),
    setpriv: at("setpriv"),
    cp: at("cp"),
    mcopy: at("mcopy"),
    mdir: at("mdir"),
    debugfs: at("debugfs"),
  };
}

function missingTools(missing: readonly ToolPackages[]): BerryError {
  const packages = (distribution: "arch" | "debian" | "fedora"): string =>
    [...new Set(missing.map((tool) => tool[distribution]))].join(" ");
  return new BerryError(
    "unavailable",
    `booting an image needs ${missing.map(({ program }) => program).join(", ")}, not found on this host`,
    {
      hint: [
        `Arch Linux: sudo pacman -S --needed ${packages("arch")}`,
        `Debian, Ubuntu: sudo apt install ${packages("debian")}`,
        `Fedora: sudo dnf install ${packages("fedora")}`,
      ].join("\n"),
    },
  );
}
