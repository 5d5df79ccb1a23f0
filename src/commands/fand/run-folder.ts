/** Where the daemon keeps its note, its lock and its metrics: systemd's, else the one that its unit gets. */
export function runFolderOf(env: Readonly<Record<string, string | undefined>>): string {
  const first = env["RUNTIME_DIRECTORY"]?.split(":")[0] ?? "";
  return first === "" ? "/run/berry" : first;
}
