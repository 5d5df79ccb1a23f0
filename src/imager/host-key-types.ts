/** The types of SSH host keys that sshd(8) looks for by itself, the one that berry makes first. */
export const hostKeyTypes = ["ed25519", "ecdsa", "rsa"] as const;
export type HostKeyType = (typeof hostKeyTypes)[number];

/** Name of the private key's file, in /etc/ssh as in the folder of a node; the public one is beside it, with `.pub`. */
export function hostKeyName(type: HostKeyType): string {
  return `ssh_host_${type}_key`;
}

/** Whether a public key's first word is of the type (RFC 4253, section 6.6; RFC 5656; RFC 8709). */
export function isOfType(word: string, type: HostKeyType): boolean {
  switch (type) {
    case "ed25519":
      return word === "ssh-ed25519";
    case "ecdsa":
      return word.startsWith("ecdsa-sha2-");
    case "rsa":
      return word === "ssh-rsa";
  }
}
