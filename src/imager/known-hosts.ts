/** What sshd(8) says of known_hosts: names separated by commas, then type and key. */
export interface KnownHost {
  readonly names: readonly string[];
  /** Contents of .pub files; what follows the key in one is left out. */
  readonly publicKeys: readonly string[];
}

/** By this line berry knows its own file again. */
export const knownHostsMark = "# The SSH host keys of the cluster's nodes, written by `berry imager bake`.";

/** A known_hosts file: a line for each key, in order of the names, whatever order the hosts come in. */
export function renderKnownHosts(hosts: readonly KnownHost[]): string {
  const lines = hosts.flatMap(({ names, publicKeys }) =>
    publicKeys.flatMap((text) => {
      const key = keyOf(text);
      return key === null ? [] : [`${names.join(",")} ${key}`];
    }),
  );
  return [knownHostsMark, ...lines.sort(), ""].join("\n");
}

/** Type and key of a .pub file; null when it is none. */
export function keyOf(publicKey: string): string | null {
  return /^((?:ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+={0,3})(?:\s|$)/.exec(publicKey)?.[1] ?? null;
}
