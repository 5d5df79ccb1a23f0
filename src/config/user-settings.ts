import type { Password, SshSettings, UserSettings } from "./cluster.ts";
import { readHostText, readSecretText, type Surroundings } from "./host-path.ts";
import type { Merged } from "./merge-node.ts";
import { checkPublicKey, isKeyLine, isPrivateKey, keyLinesOf, privateKeyFlaw } from "./public-key.ts";
import { checkPasswordFile } from "./secrets.ts";
import type { sshShape, userShape } from "./tables.ts";

type User = Merged<typeof userShape>;

/** The account of a node. What is wrong goes to the diagnosis; the value counts only when nothing was. */
export async function userSettings(user: User, around: Surroundings): Promise<UserSettings> {
  const { values } = user;
  const { diagnosis } = around;
  if (values.name === undefined && !user.failed("name")) {
    diagnosis.add(
      user.keyOf("name"),
      { problem: "missing", found: null, remedy: 'name the user that logs in, such as name = "pi"' },
      undefined,
    );
  }
  const password = await findPassword(user, around);
  const authorizedKeys = await findKeys(user, around);
  const sudo = values.sudo ?? "password";
  const waysIn = ["password_file", "password_hash", "authorized_keys"] as const;
  if (password === null && !hasKey(user) && !waysIn.some((key) => user.failed(key))) {
    const remedy = "add password_file, password_hash or authorized_keys to [user]";
    diagnosis.add(
      user.keyOf(null),
      { problem: "neither a password nor a public key, so nobody could log in", found: null, remedy },
      undefined,
    );
  } else if (password === null && sudo === "password" && !waysIn.some((key) => user.failed(key))) {
    diagnosis.warn(
      user.keyOf("sudo"),
      `sudo asks for a password, which ${values.name ?? "the user"} does not have`,
      'give the user a password, or set sudo = "no-password"',
    );
  }
  return {
    name: values.name ?? "",
    password,
    authorizedKeys,
    groups: values.groups ?? [],
    sudo,
    shell: values.shell ?? "/bin/bash",
  };
}

/** Whether the user names a public key at all, right or wrong. */
function hasKey(user: User): boolean {
  return (user.values.authorized_keys ?? []).length > 0;
}

async function findPassword(user: User, around: Surroundings): Promise<Password | null> {
  const { password_file: file, password_hash: hash } = user.values;
  if (file !== undefined && hash !== undefined) {
    around.diagnosis.add(
      user.keyOf("password_hash"),
      { problem: "a second password beside password_file", found: null, remedy: "keep one of the two" },
      undefined,
    );
  }
  if (file !== undefined) {
    const key = user.keyOf("password_file");
    const path = around.files.resolve(around.folder, file);
    const text = await readSecretText(path, key, file, around);
    const flaw = text === null ? null : checkPasswordFile(text);
    if (flaw !== null) around.diagnosis.add(key, flaw, undefined);
    return { kind: "file", path };
  }
  return hash === undefined ? null : { kind: "hash", hash };
}

async function findKeys(user: User, around: Surroundings): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [index, entry] of (user.values.authorized_keys ?? []).entries()) {
    const key = `${user.keyOf("authorized_keys")}[#${index + 1}]`;
    if (isKeyLine(entry)) {
      const flaw = checkPublicKey(entry.trim());
      if (flaw !== null) around.diagnosis.add(key, flaw, entry);
      lines.push(entry.trim());
    } else lines.push(...(await keysOfFile(entry, key, around)));
  }
  return [...new Set(lines)];
}

async function keysOfFile(entry: string, key: string, around: Surroundings): Promise<readonly string[]> {
  if (!/^[^\0-\x1f\x7f]{1,4096}$/.test(entry)) {
    const remedy = 'write the path of a .pub file, such as "~/.ssh/id_ed25519.pub", or the whole line of one';
    around.diagnosis.add(key, { problem: "neither a public key nor a path", found: null, remedy }, undefined);
    return [];
  }
  const text = await readHostText(around.files.resolve(around.folder, entry), key, entry, around);
  if (text === null) return [];
  if (isPrivateKey(text)) {
    around.diagnosis.add(key, { problem: privateKeyFlaw.problem, remedy: privateKeyFlaw.remedy }, entry);
    return [];
  }
  const lines = keyLinesOf(text);
  if (lines.length === 0)
    around.diagnosis.add(
      key,
      { problem: "no public key in the file", remedy: "name the .pub file of a key" },
      entry,
    );
  for (const line of lines) {
    const flaw = checkPublicKey(line);
    // a file that holds no key may hold anything: its lines are not shown
    if (flaw !== null) around.diagnosis.add(key, { problem: flaw.problem, remedy: flaw.remedy }, entry);
  }
  return lines;
}

export async function sshSettings(
  ssh: Merged<typeof sshShape>,
  user: User,
  around: Surroundings,
): Promise<SshSettings> {
  const passwordLogin = ssh.values.password_login ?? true;
  if (!passwordLogin && !hasKey(user) && !user.failed("authorized_keys")) {
    around.diagnosis.add(
      ssh.keyOf("password_login"),
      {
        problem: "without passwords and without a public key nobody could log in over ssh",
        remedy: "add authorized_keys to [user]",
      },
      false,
    );
  }
  return { passwordLogin, hostKeys: await findHostKeys(ssh, around) };
}

/** The folder is made when it is missing. */
async function findHostKeys(ssh: Merged<typeof sshShape>, around: Surroundings): Promise<string | null> {
  const written = ssh.values.host_keys ?? "secret/host-keys";
  if (written === false) return null;
  const path = around.files.resolve(around.folder, written);
  const { kind } = await around.files.look(path);
  if (kind === "file" || kind === "other") {
    const remedy = "name a folder, which is made when it is missing, or write host_keys = false";
    around.diagnosis.add(ssh.keyOf("host_keys"), { problem: "not a folder", remedy }, written);
  }
  return path;
}
