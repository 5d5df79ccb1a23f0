/**
 * The command line that enters a world where an ordinary user is root of their own sub-ids: user, mount
 * and PID namespaces by unshare(1). Root takes the same path, with every id mapped to itself, so that the
 * host's binfmt_misc stays untouched there too; newuidmap(1) refuses that mapping, so that whoever starts
 * the command writes it (`identityMap`), and unshare keeps the capabilities until then.
 *
 * Nothing outlives berry: setpriv(1) ends unshare when berry dies, unshare ends the PID namespace's
 * first process, and with it go all others, their mounts and the lock on the cache. What the host unmounts
 * meanwhile is unmounted here, too: a card that was mounted when berry began is not held back.
 */
export function namespaceArgv(request: {
  readonly isRoot: boolean;
  /** Held by flock(1) for as long as anything inside runs. */
  readonly lockFile: string;
  /** Held as well: the folder that images go to; null: none do. */
  readonly outputFolder: string | null;
  readonly argv: readonly string[];
}): string[] {
  const mapping = request.isRoot
    ? ["--keep-caps"]
    : ["--map-auto", "--map-root-user", "--setuid", "0", "--setgid", "0"];
  return [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "--",
    ...locked(request.lockFile, lockConflict),
    ...(request.outputFolder === null ? [] : locked(request.outputFolder, outputConflict)),
    "unshare",
    "--user",
    ...mapping,
    "--mount",
    "--propagation",
    "slave",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--",
    ...request.argv,
  ];
}

function locked(path: string, conflictCode: number): string[] {
  const flags = ["--exclusive", "--nonblock", "--conflict-exit-code", String(conflictCode), "--no-fork"];
  return ["flock", ...flags, path];
}

/** Line of /proc/PID/uid_map and gid_map (user_namespaces(7)) that maps every id to itself. */
export const identityMap = "0 0 4294967295\n";

/** Exit code of the command line when another bake holds the lock (EX_TEMPFAIL of sysexits). */
export const lockConflict = 75;

/** And when another bake makes images in the folder that they go to (EX_CANTCREAT). */
export const outputConflict = 73;
