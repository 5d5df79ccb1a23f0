import type { DatabasePackage, OperatingSystem } from "./software.ts";

/** Packages of dpkg's status file (dpkg(1): /var/lib/dpkg/status) that are on the disk; what left only its configuration is not. */
export function dpkgPackages(status: string): DatabasePackage[] {
  return status.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(stanza)?.[1]?.trim();
    const [name, version, architecture] = [field("Package"), field("Version"), field("Architecture")];
    const state = field("Status")?.split(" ").at(-1);
    if (name === undefined || version === undefined || architecture === undefined) return [];
    if (state === "not-installed" || state === "config-files") return [];
    // `Source: NAME` or `Source: NAME (VERSION)` (deb822(5)); missing: as the package itself
    const source = /^(\S+)(?: \((.+)\))?$/.exec(field("Source") ?? "");
    return [
      {
        name,
        version,
        architecture,
        source: source === null ? null : { name: source[1] ?? name, version: source[2] ?? null },
        licences: [],
      },
    ];
  });
}

/** Packages of pacman's local database: its desc files, one after the other. */
export function pacmanPackages(descriptions: string): DatabasePackage[] {
  return descriptions.split(/^(?=%NAME%$)/m).flatMap((description) => {
    const values = (name: string): string[] =>
      (new RegExp(`^%${name}%\\n((?:.+\\n?)*)`, "m").exec(description)?.[1] ?? "")
        .split("\n")
        .filter((line) => line !== "");
    const [name] = values("NAME");
    const [version] = values("VERSION");
    const [architecture] = values("ARCH");
    const [base] = values("BASE");
    if (name === undefined || version === undefined) return [];
    return [
      {
        name,
        version,
        architecture: architecture ?? "any",
        source: base === undefined || base === name ? null : { name: base, version: null },
        licences: values("LICENSE"),
      },
    ];
  });
}

/** The name of a package's file in apt's and pacman's caches; pacman's ends in one of several ways. */
export function fileNameOf(
  family: "apt" | "pacman",
  { name, version, architecture }: DatabasePackage,
): string {
  switch (family) {
    case "apt":
      // a colon has a meaning in names of files, so that apt quotes the one after the epoch
      return `${name}_${version.replaceAll(":", "%3a")}_${architecture}.deb`;
    case "pacman":
      return `${name}-${version}-${architecture}.pkg.tar`;
  }
}

/** The opposite of `fileNameOf`, of a path; null: no package's name. */
export function packageOfFile(
  family: "apt" | "pacman",
  path: string,
): Pick<DatabasePackage, "name" | "version" | "architecture"> | null {
  const file = path.slice(path.lastIndexOf("/") + 1);
  const match =
    family === "apt"
      ? /^([^_]+)_([^_]+)_([^_]+)\.deb$/.exec(file)
      : /^(.+)-([^-]+-[^-]+)-([^-]+)\.pkg\.tar\.\w+$/.exec(file);
  if (match === null) return null;
  const [, name = "", version = "", architecture = ""] = match;
  return { name, version: version.replaceAll(/%3a/gi, ":"), architecture };
}

/** os-release(5). */
export function operatingSystem(osRelease: string): OperatingSystem {
  const value = (name: string): string | null => {
    const found = new RegExp(`^${name}=(?:"([^"]*)"|'([^']*)'|(.*))$`, "m").exec(osRelease);
    const text = found?.[1] ?? found?.[2] ?? found?.[3] ?? "";
    return text === "" ? null : text;
  };
  const id = value("ID") ?? "linux";
  return { id, version: value("VERSION_ID"), title: value("PRETTY_NAME") ?? value("NAME") ?? id };
}
