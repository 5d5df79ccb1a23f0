import type { CommandRunner } from "../../core/ports.ts";
import type { HostFacts } from "./host-facts.ts";

/** The mirror that this host's own apt uses: whoever set the machine up chose it for this network. */
export async function debianMirror(
  aptGet: string | undefined,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<HostFacts["debianMirror"]> {
  if (aptGet === undefined) return null;
  const { stdout, exitCode } = await runner.run(
    [
      aptGet,
      "indextargets",
      "--format",
      "$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(COMPONENT)|$(CODENAME)|$(SUITE)",
      "Created-By: Packages",
    ],
    { env: { LC_ALL: "C", PATH: "/usr/bin:/bin" } },
    signal,
  );
  if (exitCode !== 0) return null;
  return chooseDebianMirror(stdout);
}

/**
 * Lines `ORIGIN|LABEL|URI|…`; origin and label are empty before the first apt-get update.
 * Only what is fetched over the network makes sense in an image: neither a CD-ROM nor a file of this host.
 */
export function chooseDebianMirror(lines: string): HostFacts["debianMirror"] {
  const rows = lines.split("\n").map((line) => line.split("|"));
  const uris = rows.flatMap(([origin, , uri]) =>
    uri !== undefined &&
    /^https?:/.test(uri) &&
    (origin === "Debian" || (origin === "" && /\/debian(-security)?\/?$/.test(uri)))
      ? [uri]
      : [],
  );
  const url = uris.find((uri) => !/security/.test(uri));
  if (url === undefined) return null;
  return {
    url: trimmed(url),
    securityUrl: uris.filter((uri) => /security/.test(uri)).map(trimmed)[0] ?? null,
  };
}

function trimmed(url: string): string {
  return url.replace(/\/$/, "");
}
