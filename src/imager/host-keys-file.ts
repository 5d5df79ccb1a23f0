import { link, mkdir, mkdtemp, open, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Node } from "../config/cluster.ts";
import { BerryError, codeOf, isMissing } from "../core/errors.ts";
import type { CommandRunner } from "../core/ports.ts";
import { hostKeyName, hostKeyTypes, type HostKeyType, isOfType } from "./host-key-types.ts";
import { keyOf } from "./known-hosts.ts";

export interface HostKeysRequest {
  /** All of the cluster: no two of them may have one key. */
  readonly nodes: readonly Node[];
  /** Those that get an image now: what they lack is made. */
  readonly baked: readonly Node[];
  /** ssh-keygen(1) of the host. */
  readonly sshKeygen: string;
}

/** A key in the folder of a node; `path` is that of the private half. */
interface HostKey {
  readonly node: string;
  readonly type: HostKeyType;
  readonly path: string;
}

const elsewhere = `name another folder, [ssh] host_keys = "…" in berry.toml, or leave the keys to the first boot: host_keys = false`;

/**
 * Makes the host keys that baked nodes lack, an ed25519 key each, and judges all that there are. A key that is
 * there stays: who knows it would take another one for an attack. A private key appears whole or not at all, and
 * its public half beside it, open to root's ssh-keygen alone in between.
 *
 * @throws BerryError `config` that names everything wrong with the keys; `cannot-create` or `no-permission` when
 *   none can be made
 */
export async function prepareHostKeys(
  { nodes, baked, sshKeygen }: HostKeysRequest,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<void> {
  for (const node of baked) {
    if (node.ssh.hostKeys === null) continue;
    const folder = join(node.ssh.hostKeys, node.name);
    await makeMissing(folder, node.name, sshKeygen, runner, signal);
  }
  const problems: string[] = [];
  const owners = new Map<string, HostKey>();
  for (const node of nodes) {
    for (const key of await keysOf(node)) {
      signal.throwIfAborted();
      const found = await judge(key, sshKeygen, runner, signal);
      if ("problem" in found) {
        problems.push(`${key.path}: ${found.problem}`);
        continue;
      }
      const other = owners.get(found.publicKey);
      if (other !== undefined && other.node !== key.node)
        problems.push(
          `${key.path}: ${other.node} has the very same key; remove one of them, and it is made anew`,
        );
      owners.set(found.publicKey, key);
    }
  }
  if (problems.length > 0) throw new BerryError("config", problems.join("\n"));
}

/** The types of private keys that are there, by node. */
export async function hostKeyTypesOf(
  nodes: readonly Node[],
): Promise<Record<string, readonly HostKeyType[]>> {
  const found: Record<string, readonly HostKeyType[]> = {};
  for (const node of nodes) found[node.name] = (await keysOf(node)).map(({ type }) => type);
  return found;
}

/** A .pub file without its private key counts as well: something is wrong with it. */
async function keysOf({ name, ssh }: Node): Promise<HostKey[]> {
  if (ssh.hostKeys === null) return [];
  const folder = join(ssh.hostKeys, name);
  const names = await readdir(folder).catch((cause: unknown): string[] => {
    if (isMissing(cause)) return [];
    throw new BerryError("no-permission", `cannot look for host keys in ${folder}`, {
      hint: elsewhere,
      cause,
    });
  });
  return hostKeyTypes
    .filter((type) => names.includes(hostKeyName(type)) || names.includes(`${hostKeyName(type)}.pub`))
    .map((type) => ({ node: name, type, path: join(folder, hostKeyName(type)) }));
}

async function makeMissing(
  folder: string,
  node: string,
  sshKeygen: string,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<void> {
  const path = join(folder, hostKeyName("ed25519"));
  // without its private half, a public key is no reason to make another pair: `judge` says so
  if ((await isThere(path)) || (await isThere(`${path}.pub`))) return;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // a cluster file is often kept in git, and nobody may have told it
    await writeFile(join(dirname(folder), ".gitignore"), "ssh_host_*_key\n", { flag: "wx" }).catch(
      unlessThere,
    );
    await using draft = await draftFolder(folder);
    const made = join(draft.path, "key");
    const argv = [sshKeygen, "-q", "-t", "ed25519", "-N", "", "-C", `root@${node}`, "-f", made];
    const { exitCode, stderr } = await runner.run(argv, {}, signal);
    if (exitCode !== 0) throw new Error(`ssh-keygen: ${stderr.trim()}`);
    await onDisk(made);
    // not renamed: of two bakes at the same time, the first one's key is everybody's
    const isFirst = await link(made, path).then(() => true, unlessThere);
    if (isFirst) await rename(`${made}.pub`, `${path}.pub`);
    await onDisk(folder);
  } catch (cause) {
    signal.throwIfAborted();
    throw new BerryError(kindOf(cause), `cannot make the host key of ${node} in ${folder}`, {
      hint: elsewhere,
      cause,
    });
  }
}

async function judge(
  { path, type }: HostKey,
  sshKeygen: string,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<{ readonly publicKey: string } | { readonly problem: string }> {
  const stats = await stat(path).catch(() => null);
  if (stats === null)
    return { problem: `the public key is there without it; put it there, or remove ${path}.pub` };
  if (!stats.isFile()) return { problem: "not a file" };
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
    return { problem: `a private key that is open to other users (mode ${mode}); chmod 600 ${path}` };
  }
  // an empty passphrase, or ssh-keygen would ask for one
  const { exitCode, stdout, stderr } = await runner.run([sshKeygen, "-y", "-P", "", "-f", path], {}, signal);
  if (exitCode !== 0) {
    if (/passphrase/i.test(stderr))
      return { problem: `it has a passphrase, which sshd cannot ask for; ssh-keygen -p -f ${path}` };
    return {
      problem: `not a private key that ssh-keygen can read: ${stderr.trim().split("\n").at(-1) ?? ""}`,
    };
  }
  const publicKey = keyOf(stdout);
  if (publicKey === null || !isOfType(publicKey.split(" ", 1)[0] ?? "", type))
    return { problem: `a key of another type than its name says: ${stdout.split(" ", 1)[0] ?? ""}` };
  const written = await readFile(`${path}.pub`, "utf8").catch(() => null);
  if (written === null) await writePublicKey(`${path}.pub`, stdout);
  else if (keyOf(written) !== publicKey)
    return { problem: `${path}.pub is not its public key; remove that file, and it is made anew` };
  return { publicKey };
}

async function writePublicKey(path: string, text: string): Promise<void> {
  try {
    await using draft = await draftFolder(dirname(path));
    const made = join(draft.path, "key.pub");
    await using file = await open(made, "w", 0o644);
    await file.writeFile(text);
    await rename(made, path);
  } catch (cause) {
    throw new BerryError(kindOf(cause), `cannot write ${path}`, { hint: elsewhere, cause });
  }
}

const draftPrefix = ".new-";
const abandonedMilliseconds = 60_000;

/** A folder for what is not whole yet; what a killed berry left there goes, too. */
async function draftFolder(folder: string): Promise<{ readonly path: string } & AsyncDisposable> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(draftPrefix)) continue;
    const old = await stat(join(folder, name)).catch(() => null);
    if (old !== null && Date.now() - old.mtimeMs > abandonedMilliseconds)
      await rm(join(folder, name), { recursive: true, force: true });
  }
  const path = await mkdtemp(join(folder, draftPrefix));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

async function onDisk(path: string): Promise<void> {
  await using file = await open(path, "r");
  await file.sync();
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (thrown: unknown) => !isMissing(thrown),
  );
}

function unlessThere(thrown: unknown): false {
  if (codeOf(thrown) !== "EEXIST") throw thrown;
  return false;
}

function kindOf(thrown: unknown): "no-permission" | "cannot-create" {
  return ["EACCES", "EPERM", "EROFS"].includes(codeOf(thrown) ?? "") ? "no-permission" : "cannot-create";
}
