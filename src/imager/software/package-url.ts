import type { OperatingSystem, SoftwarePackage } from "./software.ts";

/**
 * A package URL (packageurl.org, ECMA-427): types `deb` and `alpm`, the vendor as namespace. `distro` and `upstream`
 * are what scanners look advisories up by: those of Debian are written for source packages.
 */
export function packageUrl(family: "apt" | "pacman", system: OperatingSystem, each: SoftwarePackage): string {
  const type = family === "apt" ? "deb" : "alpm";
  const { source } = each;
  const qualifiers: readonly (readonly [string, string])[] = [
    ["arch", each.architecture],
    ...(system.version === null ? [] : [["distro", `${system.id}-${system.version}`] as const]),
    ...(source === null
      ? []
      : [["upstream", source.version === null ? source.name : `${source.name}@${source.version}`] as const]),
  ];
  const path = [system.id.toLowerCase(), each.name.toLowerCase()].map(encode).join("/");
  const query = qualifiers.map(([key, value]) => `${key}=${encode(value)}`).join("&");
  return `pkg:${type}/${path}@${encode(each.version)}?${query}`;
}

/** All but letters, digits and `.-_~:` is percent-encoded. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}
