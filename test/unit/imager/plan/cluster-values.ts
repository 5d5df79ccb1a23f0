import { fanJudge } from "../../../../src/commands/read-cluster.ts";
import type { Cluster, Node } from "../../../../src/config/cluster.ts";
import { startDiagnosis } from "../../../../src/config/problem.ts";
import type { HostFacts } from "../../../../src/imager/facts/host-facts.ts";
import type { Lock } from "../../../../src/imager/lock/lock.ts";
import { planBake } from "../../../../src/imager/plan/plan.ts";
import type { Plan } from "../../../../src/imager/bake-plan.ts";
import { shippedTarget } from "../../../../src/imager/targets/targets.ts";

/** Changes to a node, table by table. */
export type NodeChanges = {
  readonly [Table in keyof Node]?: Node[Table] extends object ? Partial<Node[Table]> | null : Node[Table];
};

/** A node as it comes out of a file that says next to nothing. */
export function makeNode(name: string, changes: NodeChanges = {}): Node {
  const node: Node = {
    name,
    role: "node",
    image: {
      mirror: null,
      timezone: "Asia/Shanghai",
      locale: "en_US.UTF-8",
      locales: [],
      keymap: "us",
      packages: [],
      services: [],
      files: [],
      script: null,
      configTxt: [],
      cmdline: [],
      marginBytes: 256 * 1024 * 1024,
    },
    user: {
      name: "chaney",
      password: { kind: "file", path: "/home/chaney/cluster/secret/password" },
      authorizedKeys: [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOvhCZ3Nju93Mbg+n+ahG19nT7BKB/TsqQx23lD4IAdi test@example",
      ],
      groups: [],
      sudo: "password",
      shell: "/bin/bash",
    },
    ssh: { passwordLogin: true, hostKeys: "/home/chaney/cluster/secret/host-keys" },
    network: { static: null, dns: [] },
    wifi: null,
    fan: null,
  };
  const merged = Object.entries(changes).map(([table, change]) => {
    const before = node[table as keyof Node];
    return [table, isTable(before) && isTable(change) ? { ...before, ...change } : change];
  });
  // Checked boundary: the changes are of the node's own tables.
  return { ...node, ...Object.fromEntries(merged) } as Node;
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export const wifi: NonNullable<Node["wifi"]> = {
  ssid: "home",
  pskFile: "/home/chaney/cluster/secret/wifi",
  security: "wpa2",
  hidden: false,
  country: "CN",
};

/** What [fan] of that content comes to. */
export function makeFan(
  content: Readonly<Record<string, unknown>> = {},
  configTxt: readonly string[] = [],
): NonNullable<Node["fan"]> {
  const diagnosis = startDiagnosis("berry.toml");
  const merged = fanJudge.merge({}, content, diagnosis.add);
  const fans = fanJudge.judge(merged, configTxt, diagnosis);
  if (diagnosis.problems.length > 0) throw new Error(JSON.stringify(diagnosis.problems));
  return { content: merged, fans };
}

export function makeCluster(target: string, nodes: readonly Node[]): Cluster {
  return {
    name: "berry",
    file: "/home/chaney/cluster/berry.toml",
    target,
    outputDirectory: "/home/chaney/cluster/images",
    nodes,
  };
}

/** A Debian machine of an ordinary user, on which everything is in its place. */
export function makeFacts(changes: Partial<HostFacts> = {}): HostFacts {
  const disk = { freeBytes: 100 * 1024 ** 3, fileSystem: "ext4", keepsAttributes: true };
  const names = [
    ...[
      "unshare",
      "setpriv",
      "flock",
      "mount",
      "sfdisk",
      "mke2fs",
      "debugfs",
      "tune2fs",
      "mkfs.vfat",
      "mcopy",
      "find",
    ],
    ...[
      "systemctl",
      "newuidmap",
      "newgidmap",
      "apt-get",
      "dpkg",
      "dpkg-deb",
      "bsdtar",
      "gpg",
      "pacman",
      "localedef",
      "ssh-keygen",
      "dtc",
    ],
  ];
  return {
    architecture: "x86_64",
    kernel: { release: "6.12.57", major: 6, minor: 12 },
    isRoot: false,
    userName: "chaney",
    programs: Object.fromEntries(names.map((name) => [name, `/usr/bin/${name}`])),
    emulators: ["/usr/bin/qemu-aarch64-static"],
    hostHandler: null,
    subordinateIds: { users: 65_536, groups: 65_536, firstFree: 165_536 },
    userNamespaces: "allowed",
    pacmanMajor: 7,
    mke2fsVersion: "1.47.0",
    cacheDirectory: "/home/chaney/.cache/berry",
    cachedLayers: [],
    cacheDisk: { directory: "/home/chaney/.cache/berry", ...disk },
    outputDisk: { directory: "/home/chaney/cluster/images", ...disk },
    imagesShareBlocks: false,
    debianMirror: {
      url: "http://mirror.example/debian",
      securityUrl: "http://mirror.example/debian-security",
    },
    keyrings: ["debian-archive-keyring.gpg"],
    berry: { path: "/opt/berry/berry-aarch64", sha256: "b".repeat(64), package: null },
    sourceDateEpoch: null,
    digests: { "/home/chaney/cluster/motd": "d".repeat(64), "/home/chaney/cluster/token": "e".repeat(64) },
    hostKeys: {},
    ...changes,
  };
}

export interface PlanChanges {
  readonly facts?: HostFacts;
  readonly refresh?: boolean;
  readonly lock?: Lock;
  /** Only these of the cluster's nodes. */
  readonly nodes?: readonly Node[];
}

export function planOf(cluster: Cluster, changes: PlanChanges = {}): Plan {
  return planBake({
    cluster,
    target: shippedTarget(cluster.target),
    facts: changes.facts ?? makeFacts(),
    nodes: changes.nodes ?? cluster.nodes,
    refresh: changes.refresh ?? false,
    lock: changes.lock ?? null,
    berry: { baking: "0.1.0", inImages: "0.1.0" },
    hash: (text) => new Bun.CryptoHasher("sha256").update(text).digest("hex"),
  });
}

export const arch = "archlinuxarm-rpi-aarch64";
export const debian = "debian-arm64";
