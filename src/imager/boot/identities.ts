import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The private keys in a folder such as ~/.ssh whose public half (the file beside it, `.pub`) is authorized.
 * @param authorizedKeys lines of authorized_keys
 */
export async function findIdentities(
  authorizedKeys: readonly string[],
  sshDirectory: string,
): Promise<readonly string[]> {
  const authorized = new Set(authorizedKeys.flatMap(keyMaterial));
  const names = new Set(await readdir(sshDirectory).catch(() => []));
  const identities: string[] = [];
  for (const name of [...names].toSorted()) {
    const privateName = name.slice(0, -".pub".length);
    if (!name.endsWith(".pub") || !names.has(privateName)) continue;
    const text = await readFile(join(sshDirectory, name), "utf8").catch(() => "");
    if (keyMaterial(text).some((key) => authorized.has(key)))
      identities.push(join(sshDirectory, privateName));
  }
  return identities;
}

/** Type and key of a public key line, without the options before and the comment behind them (sshd(8)). */
function keyMaterial(line: string): readonly string[] {
  const match = /(?:^|\s)((?:ssh-|ecdsa-|sk-)[\w.@-]+)\s+([A-Za-z0-9+/=]+)/.exec(line);
  return match === null ? [] : [`${match[1]} ${match[2]}`];
}
