import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Node } from "../../src/config/cluster.ts";
import { hostKeyTypesOf, prepareHostKeys } from "../../src/imager/host-keys-file.ts";
import { refuseForeignKnownHosts, writeKnownHosts } from "../../src/imager/steps/host-keys.ts";
import { BerryError } from "../../src/core/errors.ts";
import { commandRunner } from "../../src/system/command-runner.ts";
import { failureOf as reasonOf } from "../fixtures/failure-of.ts";
import { ordinaryUser } from "../fixtures/ordinary-user.ts";
import { mustRun } from "../fixtures/run.ts";
import { arch, makeCluster, makeFacts, makeNode, planOf } from "../unit/imager/plan/cluster-values.ts";

const { signal } = new AbortController();
let folder: string;
let keys: string;

beforeEach(async () => {
  folder = await mkdtemp("/var/tmp/berry-keys-");
  keys = join(folder, "secret/host-keys");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const nodeOf = (name: string, hostKeys: string | null = keys): Node => makeNode(name, { ssh: { hostKeys } });
const prepare = async (nodes: readonly Node[], baked = nodes): Promise<void> =>
  await prepareHostKeys({ nodes, baked, sshKeygen: "ssh-keygen" }, commandRunner, signal);
const keyFile = (node: string, type = "ed25519"): string => join(keys, node, `ssh_host_${type}_key`);
const read = async (path: string): Promise<string> => await readFile(path, "utf8");
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);
const failureOf = async (promise: Promise<unknown>): Promise<BerryError> => {
  const reason = await reasonOf(promise);
  if (reason instanceof BerryError) return reason;
  throw new Error("it did not fail with a BerryError", { cause: reason });
};
/** A key of the user's own, in the place of a node's. */
async function supply(node: string, type: string, passphrase = ""): Promise<string> {
  const path = keyFile(node, type);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await mustRun(["ssh-keygen", "-q", "-t", type, "-N", passphrase, "-f", path], {}, signal);
  return path;
}

describe("the host keys of a cluster", () => {
  test("are made for baked nodes, for their owner alone, each another one", async () => {
    const [one, two, three] = [nodeOf("pi1"), nodeOf("pi2"), nodeOf("pi3")];
    await prepare([one, two, three], [one, two]);
    expect((await readdir(keys)).toSorted()).toEqual([".gitignore", "pi1", "pi2"]);
    expect(await read(join(keys, ".gitignore"))).toBe("ssh_host_*_key\n");
    expect((await readdir(join(keys, "pi1"))).toSorted()).toEqual([
      "ssh_host_ed25519_key",
      "ssh_host_ed25519_key.pub",
    ]);
    expect(await modeOf(keyFile("pi1"))).toBe("600");
    for (const path of [join(folder, "secret"), keys, join(keys, "pi1")])
      expect(await modeOf(path)).toBe("700");
    const derived = await mustRun(["ssh-keygen", "-y", "-f", keyFile("pi1")], {}, signal);
    expect(derived).toBe(await read(`${keyFile("pi1")}.pub`));
    expect(derived).toMatch(/^ssh-ed25519 \S+ root@pi1\n$/);
    expect(derived.split(" ")[1]).not.toBe((await read(`${keyFile("pi2")}.pub`)).split(" ")[1] ?? "");
    expect(await hostKeyTypesOf([one, two, three])).toEqual({ pi1: ["ed25519"], pi2: ["ed25519"], pi3: [] });
  });

  test("stay what they are from bake to bake", async () => {
    await prepare([nodeOf("pi1")]);
    const before = [await read(keyFile("pi1")), await read(`${keyFile("pi1")}.pub`)];
    await prepare([nodeOf("pi1"), nodeOf("pi2")]);
    expect([await read(keyFile("pi1")), await read(`${keyFile("pi1")}.pub`)]).toEqual(before);
  });

  test("are not made where the first boot makes them", async () => {
    await prepare([nodeOf("pi1", null)]);
    expect(await readdir(folder)).toEqual([]);
  });

  test("may be the user's own, of other types too; a public half that is missing is derived", async () => {
    const rsa = await supply("pi1", "rsa");
    const ed25519 = await supply("pi1", "ed25519");
    const before = await read(ed25519);
    await rm(`${rsa}.pub`);
    await prepare([nodeOf("pi1")]);
    expect(await read(ed25519)).toBe(before);
    expect(await read(`${rsa}.pub`)).toBe(await mustRun(["ssh-keygen", "-y", "-f", rsa], {}, signal));
    expect((await readdir(dirname(rsa))).length).toBe(4);
    expect(await hostKeyTypesOf([nodeOf("pi1")])).toEqual({ pi1: ["ed25519", "rsa"] });
  });

  test("lose nothing to a bake that was killed, and take its rests away", async () => {
    await mkdir(join(keys, "pi1/.new-abcdef"), { recursive: true });
    await writeFile(join(keys, "pi1/.new-abcdef/key"), "half a key");
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(keys, "pi1/.new-abcdef"), longAgo, longAgo);
    await prepare([nodeOf("pi1")]);
    expect((await readdir(join(keys, "pi1"))).toSorted()).toEqual([
      "ssh_host_ed25519_key",
      "ssh_host_ed25519_key.pub",
    ]);
  });

  test("are one and the same for two bakes at the same time", async () => {
    await Promise.all([1, 2, 3, 4].map(async () => await prepare([nodeOf("pi1")])));
    expect((await readdir(join(keys, "pi1"))).toSorted()).toEqual([
      "ssh_host_ed25519_key",
      "ssh_host_ed25519_key.pub",
    ]);
    await prepare([nodeOf("pi1")]);
  });
});

describe("a host key that is wrong", () => {
  test("because others can read it is refused, with what to do", async () => {
    await prepare([nodeOf("pi1")]);
    await chmod(keyFile("pi1"), 0o640);
    const failure = await failureOf(prepare([nodeOf("pi1")]));
    expect(failure.kind).toBe("config");
    expect(failure.message).toBe(
      `${keyFile("pi1")}: a private key that is open to other users (mode 0640); chmod 600 ${keyFile("pi1")}`,
    );
  });

  test("because it has a passphrase is refused", async () => {
    await supply("pi1", "ed25519", "correct horse");
    expect((await failureOf(prepare([nodeOf("pi1")]))).message).toContain("it has a passphrase");
  });

  test("because another node has it too is refused, wherever the other one's lies", async () => {
    await prepare([nodeOf("pi1")]);
    const other = join(folder, "other");
    await mkdir(join(other, "pi2"), { recursive: true });
    await copyFile(keyFile("pi1"), join(other, "pi2/ssh_host_ed25519_key"));
    const nodes = [nodeOf("pi1"), nodeOf("pi2", other)];
    const { message } = await failureOf(prepare(nodes, [nodeOf("pi2", other)]));
    expect(message).toContain("pi1 has the very same key");
    await rm(other, { recursive: true });
    await mkdir(other);
    await symlink(join(keys, "pi1"), join(other, "pi2"));
    expect((await failureOf(prepare(nodes))).message).toContain("pi1 has the very same key");
  });

  test("because its public half is of another key, or all that is left, is refused, all at once", async () => {
    await prepare([nodeOf("pi1"), nodeOf("pi2")]);
    await copyFile(`${keyFile("pi2")}.pub`, `${keyFile("pi1")}.pub`);
    await rm(keyFile("pi2"));
    const { message } = await failureOf(prepare([nodeOf("pi1"), nodeOf("pi2")]));
    const [first, second, ...more] = message.split("\n");
    expect(first).toContain(`${keyFile("pi1")}.pub is not its public key`);
    expect(second).toStartWith(`${keyFile("pi2")}: the public key is there without it`);
    expect(more).toEqual([]);
  });

  test("because it is none, or of another type than its name says, is refused", async () => {
    await mkdir(join(keys, "pi1"), { recursive: true });
    await writeFile(keyFile("pi1"), "", { mode: 0o600 });
    expect((await failureOf(prepare([nodeOf("pi1")]))).message).toContain("not a private key");
    await rm(keyFile("pi1"));
    const rsa = await supply("pi1", "rsa");
    await copyFile(rsa, keyFile("pi1"));
    expect((await failureOf(prepare([nodeOf("pi1")]))).message).toContain(
      "of another type than its name says: ssh-rsa",
    );
  });

  test("and cannot be made is refused with the ways out of it", async () => {
    await writeFile(join(folder, "file"), "");
    const failure = await failureOf(prepare([nodeOf("pi1", join(folder, "file/keys"))]));
    expect(failure.kind).toBe("cannot-create");
    expect(failure.message).toContain("cannot make the host key of pi1");
    expect(failure.hint).toContain("host_keys = false");
  });

  test("because the cluster's folder is read-only is refused with the ways out of it", async () => {
    const user = await ordinaryUser(signal);
    await chmod(folder, 0o755);
    const house = join(import.meta.dirname, "../..");
    const script = `import { prepareHostKeys } from ${JSON.stringify(`${house}/src/imager/host-keys-file.ts`)};
      import { commandRunner } from ${JSON.stringify(`${house}/src/system/command-runner.ts`)};
      const node = { name: "pi1", ssh: { hostKeys: ${JSON.stringify(keys)} } };
      await prepareHostKeys({ nodes: [node], baked: [node], sshKeygen: "ssh-keygen" }, commandRunner, new AbortController().signal)
        .catch((failure) => console.log(JSON.stringify({ kind: failure.kind, hint: failure.hint })));`;
    if (process.getuid?.() !== 0) await chmod(folder, 0o555);
    const { stdout } = await user.run([process.execPath, "-e", script], {}, signal);
    await chmod(folder, 0o755);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "no-permission" });
    expect(stdout).toContain("host_keys = false");
  });
});

describe("known_hosts", () => {
  const write = async (nodes: readonly Node[], baked = nodes): Promise<string> => {
    await prepare(nodes, baked);
    const cluster = { ...makeCluster(arch, nodes), outputDirectory: folder };
    const { knownHosts } = planOf(cluster, {
      nodes: baked,
      facts: makeFacts({ hostKeys: await hostKeyTypesOf(nodes) }),
    });
    if (knownHosts === null) throw new Error("the plan has no known_hosts");
    await refuseForeignKnownHosts(knownHosts);
    await writeKnownHosts(knownHosts);
    return knownHosts.path;
  };
  const find = async (host: string, path: string): Promise<string> =>
    await mustRun(["ssh-keygen", "-F", host, "-f", path], {}, signal);

  test("is found by ssh under every name and address of a node", async () => {
    const pi2 = makeNode("pi2", {
      ssh: { hostKeys: keys },
      network: { static: { addresses: ["192.168.1.12/24", "2001:DB8:0::12/64"], gateway: null }, dns: [] },
    });
    const path = await write([nodeOf("pi1"), pi2]);
    const key = (await read(`${keyFile("pi2")}.pub`)).split(" ").slice(0, 2).join(" ");
    for (const host of ["pi2", "pi2.local", "192.168.1.12", "2001:db8::12"])
      expect(await find(host, path)).toContain(key);
    expect(await find("pi1", path)).not.toContain(key);
    expect((await reasonOf(find("pi3", path))) instanceof Error).toBe(true);
    const listed = (await mustRun(["ssh-keygen", "-l", "-f", path], {}, signal)).trimEnd().split("\n");
    expect(listed).toHaveLength(2);
    for (const line of listed) expect(line).toMatch(/^256 SHA256:\S+ pi\d.* \(ED25519\)$/);
    expect(await readdir(folder)).not.toContain(".known_hosts.partial");
  });

  test("keeps nodes that are not baked this time, and drops those that are gone", async () => {
    await write([nodeOf("pi1"), nodeOf("pi2")]);
    const path = await write([nodeOf("pi1"), nodeOf("pi3"), nodeOf("pi4")], []);
    const names = (await read(path)).split("\n").flatMap((line) => /^(pi\d),/.exec(line)?.[1] ?? []);
    expect(names).toEqual(["pi1"]);
  });

  test("that is not berry's is never overwritten", async () => {
    const path = join(folder, "known_hosts");
    await writeFile(path, "example.org ssh-ed25519 AAAA\n");
    const failure = await failureOf(write([nodeOf("pi1")]));
    expect(failure.kind).toBe("cannot-create");
    expect(await read(path)).toBe("example.org ssh-ed25519 AAAA\n");
  });
});
