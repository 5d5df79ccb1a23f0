/** What of the caller's environment the host's programs may see. */
export const inheritedVariables = [
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
] as const;

/** What is the same for the host's programs on every host. */
export const fixedEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LC_ALL: "C.UTF-8",
  // FAT keeps local times, and Linux takes them for UTC
  TZ: "UTC",
} as const;

/** The environment of the host's programs while an image is baked. */
export function hostEnvironment(given: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const inherited = inheritedVariables.flatMap((name) => {
    const value = given[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...fixedEnvironment, ...Object.fromEntries(inherited) };
}
