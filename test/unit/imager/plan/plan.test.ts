import { describe, expect, test } from "bun:test";
import type { Node } from "../../../../src/config/cluster.ts";
import { BerryError } from "../../../../src/core/errors.ts";
import type { HostFacts } from "../../../../src/imager/facts/host-facts.ts";
import type { LayerPlan, Plan } from "../../../../src/imager/bake-plan.ts";
import type { Step } from "../../../../src/imager/step.ts";
import { planJson } from "../../../../src/imager/script/password-hashes.ts";
import { arch, debian, makeCluster, makeFacts, makeFan, makeNode, planOf, wifi } from "./cluster-values.ts";
import type { NodeChanges, PlanChanges } from "./cluster-values.ts";

function planFor(target: string, changes: NodeChanges = {}, planChanges: PlanChanges = {}): Plan {
  return planOf(makeCluster(target, [makeNode("pi1", changes)]), planChanges);
}

function keysOf(plan: Plan): Record<string, string> {
  return Object.fromEntries(plan.layers.map(({ name, key }) => [name, key]));
}

function layer(plan: Plan, name: string): LayerPlan {
  const found = plan.layers.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the plan has no layer ${name}`);
  return found;
}

function stepsOf<Kind extends Step["do"]>(plan: Plan, kind: Kind): Extract<Step, { do: Kind }>[] {
  const all = [...plan.layers, ...plan.nodes].flatMap(({ steps }) => steps);
  return all.filter((step): step is Extract<Step, { do: Kind }> => step.do === kind);
}

describe.each([arch, debian])("the plan for %s", (target) => {
  test("is the same for the same cluster, target and machine", () => {
    expect(planFor(target)).toEqual(planFor(target));
  });
  test("has no package layer unless berry.toml names packages", () => {
    expect(Object.keys(keysOf(planFor(target)))).not.toContain("packages");
    expect(Object.keys(keysOf(planFor(target, { image: { packages: ["vim"] } })))).toContain("packages");
  });
  test("makes packages and image anew when a package is added, and keeps the system", () => {
    const before = keysOf(planFor(target, { image: { packages: ["vim"] } }));
    const after = keysOf(planFor(target, { image: { packages: ["vim", "htop"] } }));
    expect(after["packages"]).not.toBe(before["packages"]);
    expect(after["image"]).not.toBe(before["image"]);
    expect(after["system"]).toBe(before["system"]);
  });
  test("makes every layer from packages anew when the mirror changes", () => {
    const before = keysOf(planFor(target));
    const after = keysOf(planFor(target, { image: { mirror: "http://other.example/packages" } }));
    expect(after["system"]).not.toBe(before["system"]);
    expect(after["image"]).not.toBe(before["image"]);
  });
  test.each<[string, NodeChanges]>([
    ["the password's file", { user: { password: { kind: "file", path: "/elsewhere/password" } } }],
    ["the password's hash", { user: { password: { kind: "hash", hash: "$y$j9T$secret" } } }],
    ["the Wi-Fi", { wifi }],
    ["the address", { network: { static: { addresses: ["192.168.1.11/24"], gateway: "192.168.1.1" } } }],
    ["the fan", { fan: makeFan() }],
    ["the role", { role: "server" }],
    [
      "a secret file",
      {
        image: {
          files: [
            {
              source: "/home/chaney/cluster/token",
              path: "/etc/token",
              mode: 0o600,
              owner: "root",
              group: "root",
              secret: true,
            },
          ],
        },
      },
    ],
  ])("keeps every layer when %s changes, and not the node's steps", (_, changes) => {
    expect(keysOf(planFor(target, changes))).toEqual(keysOf(planFor(target)));
    expect(planFor(target, changes).nodes).not.toEqual(planFor(target).nodes);
  });
  test("makes the image anew, and nothing below it, when a file's content changes", () => {
    const image = {
      files: [
        {
          source: "/home/chaney/cluster/motd",
          path: "/etc/motd",
          mode: 0o644,
          owner: "root",
          group: "root",
          secret: false,
        },
      ],
    };
    const before = keysOf(planFor(target, { image }));
    const facts = makeFacts({ digests: { "/home/chaney/cluster/motd": "f".repeat(64) } });
    const after = keysOf(planFor(target, { image }, { facts }));
    expect(after["image"]).not.toBe(before["image"]);
    expect({ ...after, image: "" }).toEqual({ ...before, image: "" });
  });
  test("keeps everything but the images in the cache's folder", () => {
    const plan = planFor(target, {}, { facts: makeFacts({ cacheDirectory: "/mnt/cache" }) });
    for (const { directory, work } of plan.layers) {
      expect(directory).toStartWith("/mnt/cache/layers/");
      expect(work).toStartWith("/mnt/cache/work/");
    }
    expect(plan.nodes[0]?.work).toStartWith("/mnt/cache/scratch/");
    expect(plan.nodes[0]?.output).toBe("/home/chaney/cluster/images/pi1.img");
  });
  test("gives layers the same keys in every cache", () => {
    const image = { packages: ["vim"] };
    const elsewhere = planFor(target, { image }, { facts: makeFacts({ cacheDirectory: "/mnt/cache" }) });
    expect(keysOf(elsewhere)).toEqual(keysOf(planFor(target, { image })));
  });
  test("shares every layer between nodes that differ by name alone", () => {
    const plan = planOf(makeCluster(target, [makeNode("pi1"), makeNode("pi2")]));
    expect(keysOf(plan)).toEqual(keysOf(planFor(target)));
    expect(plan.layers).toEqual(planFor(target).layers);
    expect(plan.nodes.map(({ output }) => output)).toEqual([
      "/home/chaney/cluster/images/pi1.img",
      "/home/chaney/cluster/images/pi2.img",
    ]);
  });
  test("shares the system with a node that has packages of its own", () => {
    const plan = planOf(
      makeCluster(target, [makeNode("pi1"), makeNode("pi2", { image: { packages: ["vim"] } })]),
    );
    const names = plan.layers.map(({ name }) => name);
    expect(names.filter((name) => name === "system")).toHaveLength(1);
    expect(names.filter((name) => name === "image")).toHaveLength(2);
    const [first, second] = plan.nodes;
    expect(first?.lower.at(-1)).toBe(second?.lower.at(-1) ?? "");
    expect(first?.lower[0]).not.toBe(second?.lower[0] ?? "");
  });
  test("makes each layer after those that it stands on", () => {
    const plan = planFor(target, { image: { packages: ["vim"] } });
    const made = new Set([`${plan.cacheDirectory}/empty`]);
    for (const each of plan.layers) {
      for (const tree of each.lower) expect(made).toContain(tree);
      made.add(`${each.directory}/tree`);
    }
  });
  test("takes from the cache what is there, unless it is refreshed", () => {
    const { layers } = planFor(target);
    const facts = makeFacts({
      cachedLayers: layers.map(({ directory }) => directory.split("/").at(-1) ?? ""),
    });
    expect(planFor(target, {}, { facts }).layers.map(({ cached }) => cached)).toEqual(layers.map(() => true));
    expect(planFor(target, {}, { facts, refresh: true }).layers.some(({ cached }) => cached)).toBe(false);
    expect(keysOf(planFor(target, {}, { facts, refresh: true }))).toEqual(keysOf(planFor(target)));
  });
  test("bakes the nodes that were asked for, and no layer of another", () => {
    const nodes: Node[] = [makeNode("pi1", { image: { packages: ["vim"] } }), makeNode("pi2")];
    const plan = planOf(makeCluster(target, nodes), { nodes: nodes.slice(1) });
    expect(plan.nodes.map(({ node }) => node)).toEqual(["pi2"]);
    expect(plan.layers.map(({ name }) => name)).not.toContain("packages");
  });
  test("puts secrets into no layer", () => {
    const plan = planFor(target, { wifi, user: { password: { kind: "hash", hash: "$y$j9T$secret" } } });
    const layers = JSON.stringify(plan.layers);
    for (const each of ["$y$j9T$secret", "secret/wifi", "secret/password"])
      expect(layers).not.toContain(each);
  });
  test("shows secrets as references", () => {
    const plan = planFor(target, { wifi, user: { password: { kind: "hash", hash: "$y$j9T$secret" } } });
    expect(planJson(plan)).not.toContain("$y$j9T$secret");
    expect(JSON.stringify(planFor(target, { wifi }))).toContain("/home/chaney/cluster/secret/wifi");
    expect(JSON.stringify(planFor(target))).toContain("/home/chaney/cluster/secret/password");
  });
  test("forgets what was made or run before, last of all", () => {
    const { steps } = layer(planFor(target, { image: { script: "/home/chaney/cluster/motd" } }), "image");
    const at = (kind: Step["do"]) => steps.findLastIndex((step) => step.do === kind);
    expect(at("remove")).toBeGreaterThan(Math.max(at("chroot"), at("run"), at("copy")));
  });
  test("has a host key of the node's own where they are kept, of each type that is there, and none elsewhere", () => {
    const keys = (changes: NodeChanges, hostKeys: HostFacts["hostKeys"] = {}) =>
      stepsOf(planFor(target, changes, { facts: makeFacts({ hostKeys }) }), "write-host-key").map(
        ({ source, path }) => [source, path],
      );
    const ed25519 = ["/srv/keys/pi1/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key"];
    const rsa = ["/srv/keys/pi1/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key"];
    const ssh = { hostKeys: "/srv/keys" };
    expect(keys({ ssh })).toEqual([ed25519]);
    expect(keys({ ssh }, { pi1: ["rsa"] })).toEqual([ed25519, rsa]);
    expect(keys({ ssh: { hostKeys: null } }, { pi1: ["rsa"] })).toEqual([]);
    expect(keysOf(planFor(target, { ssh }))).toEqual(keysOf(planFor(target, { ssh: { hostKeys: null } })));
  });
  test("names in known_hosts whoever has a key, baked or not, by name and by address", () => {
    const network = { static: { addresses: ["192.168.1.12/24", "2001:DB8::12/64"], gateway: null } };
    const nodes = [
      makeNode("pi1"),
      makeNode("pi2", { network }),
      makeNode("pi3"),
      makeNode("pi4", { ssh: { hostKeys: null } }),
    ];
    const facts = makeFacts({ hostKeys: { pi2: ["ed25519", "rsa"] } });
    const file = (name: string, type: string) =>
      `/home/chaney/cluster/secret/host-keys/${name}/ssh_host_${type}_key.pub`;
    expect(planOf(makeCluster(target, nodes), { facts, nodes: nodes.slice(0, 1) }).knownHosts).toEqual({
      path: "/home/chaney/cluster/images/known_hosts",
      hosts: [
        { names: ["pi1", "pi1.local"], publicKeyFiles: [file("pi1", "ed25519")] },
        {
          names: ["pi2", "pi2.local", "192.168.1.12", "2001:db8::12"],
          publicKeyFiles: [file("pi2", "ed25519"), file("pi2", "rsa")],
        },
      ],
    });
    expect(planOf(makeCluster(target, nodes.slice(3))).knownHosts).toBeNull();
  });
  test("removes host keys and machine-id from what nodes share", () => {
    const removed = layer(planFor(target), "image").steps.flatMap((step) =>
      step.do === "remove" ? step.paths : [],
    );
    for (const path of [
      "/etc/ssh/ssh_host_*",
      "/etc/pacman.d/gnupg",
      "/var/lib/dbus/machine-id",
      "/var/lib/systemd/credential.secret",
      "/var/lib/systemd/random-seed",
      "/var/log/journal/*",
    ])
      expect(removed).toContain(path);
    expect(removed.some((path) => /^\/boot(\/firmware)?\/loader\/random-seed$/.test(path))).toBe(true);
    expect(stepsOf(planFor(target), "write").find(({ path }) => path === "/etc/machine-id")?.content).toBe(
      "",
    );
  });
});

describe("disk identities", () => {
  const identities = (name: string, nodes: readonly string[]) => {
    const cluster = {
      ...makeCluster(
        debian,
        nodes.map((node) => makeNode(node)),
      ),
      name,
    };
    return stepsOf(planOf(cluster), "patch-image").map(({ identity }) => identity);
  };
  test("differ for every node of every cluster", () => {
    const all = [
      ...identities("berry", ["pi1", "pi2", "pi3"]),
      ...identities("other", ["pi1", "pi2", "pi3"]),
    ];
    for (const key of ["diskSignature", "bootVolumeId", "rootUuid"] as const) {
      expect(new Set(all.map((identity) => identity[key])).size).toBe(6);
    }
  });
  test("stay the same when nodes come and go", () => {
    expect(identities("berry", ["pi0", "pi1"])[1]).toEqual(identities("berry", ["pi1", "pi2"])[0]);
  });
  test("have the form that sfdisk, the FAT and RFC 9562 ask for", () => {
    for (const { diskSignature, bootVolumeId, rootUuid } of identities("berry", [
      "pi1",
      "pi2",
      "pi3",
      "pi4",
    ])) {
      expect(diskSignature).toMatch(/^[0-9a-f]{8}$/);
      expect(bootVolumeId).toMatch(/^[0-9A-F]{8}$/);
      expect(rootUuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });
  test("are what fstab and cmdline.txt of the same node name", () => {
    const plan = planFor(arch);
    const [identity] = identities("berry", ["pi1"]);
    const written = stepsOf(plan, "write").filter(
      ({ path }) => path === "/etc/fstab" || path === "/boot/cmdline.txt",
    );
    expect(written).toHaveLength(2);
    for (const { content } of written) expect(content).toContain(`PARTUUID=${identity?.diskSignature}-02`);
  });
});

describe("programs of the image", () => {
  test("are installed by the host's pacman where there is one", () => {
    const plan = planFor(arch);
    expect(stepsOf(plan, "run").filter(({ argv }) => argv[0] === "pacman")).not.toEqual([]);
    expect(stepsOf(plan, "chroot").filter(({ argv }) => argv[0] === "pacman")).toEqual([]);
    expect(stepsOf(plan, "remove-packages").map(({ emulated }) => emulated)).toEqual([false]);
  });
  test("are installed by the image's own pacman where the host has none", () => {
    const plan = planFor(arch, { image: { packages: ["vim"] } }, { facts: makeFacts({ pacmanMajor: null }) });
    const calls = stepsOf(plan, "chroot").filter(({ argv }) => argv[0] === "pacman");
    expect(calls.some(({ argv }) => argv.includes("vim"))).toBe(true);
    expect(stepsOf(plan, "run").filter(({ argv }) => argv[0] === "pacman")).toEqual([]);
    expect(stepsOf(plan, "remove-packages").map(({ emulated }) => emulated)).toEqual([true]);
    // its configuration and keys lie where it finds them inside, and outside of what is kept
    for (const { argv } of calls)
      expect(argv.join(" ")).toContain("--config /run/berry/pacman.conf --gpgdir /run/berry/gnupg");
  });
  test("have native tools lent on a host of another architecture", () => {
    const plan = planFor(debian);
    expect(plan.layers.map(({ name }) => name)).toContain("native-tools");
    expect(stepsOf(plan, "native-tools").length).toBeGreaterThan(0);
    expect(plan.nodes[0]?.lower.join()).not.toContain("native-tools");
  });
  test("run as they are on an arm64 host, without emulator and without native tools", () => {
    const facts = makeFacts({ architecture: "aarch64", emulators: [] });
    for (const target of [arch, debian]) {
      const plan = planFor(target, {}, { facts });
      expect(plan.emulator).toBeNull();
      expect(plan.layers.map(({ name }) => name)).not.toContain("native-tools");
      expect(stepsOf(plan, "native-tools")).toEqual([]);
      expect(stepsOf(plan, "return-tools")).toEqual([]);
    }
  });
  test("are emulated by a handler of the namespace's own since Linux 6.7", () => {
    const own = { kind: "own", interpreter: "/usr/bin/qemu-aarch64-static" } as const;
    for (const [major, minor] of [
      [6, 7],
      [6, 12],
      [7, 0],
    ] as const) {
      const facts = makeFacts({
        kernel: { release: `${major}.${minor}`, major, minor },
        hostHandler: "/usr/bin/other",
      });
      expect(planFor(arch, {}, { facts }).emulator).toEqual(own);
    }
  });
  test("are emulated by the host's handler below Linux 6.7, if it has one", () => {
    const old = { kernel: { release: "6.6.1", major: 6, minor: 6 } };
    const handler = "/usr/libexec/qemu-aarch64";
    expect(planFor(arch, {}, { facts: makeFacts({ ...old, hostHandler: handler }) }).emulator).toEqual({
      kind: "host",
      handler,
    });
    expect(planFor(arch, {}, { facts: makeFacts(old) }).emulator).toBeNull();
    expect(
      planFor(arch, {}, { facts: makeFacts({ kernel: { release: "5.15", major: 5, minor: 15 } }) }).emulator,
    ).toBeNull();
  });
});

describe("Debian's mirror", () => {
  const sources = (plan: Plan) =>
    stepsOf(plan, "write").filter(({ path }) => path.endsWith("debian.sources"))[0]?.content;
  test("is the host's own, with its security mirror", () => {
    expect(sources(planFor(debian))).toContain("URIs: http://mirror.example/debian\n");
    expect(sources(planFor(debian))).toContain("URIs: http://mirror.example/debian-security\n");
  });
  test("is the one of berry.toml where it names one; its security mirror is not guessed", () => {
    const content = sources(planFor(debian, { image: { mirror: "http://near.example/debian" } }));
    expect(content).toContain("URIs: http://near.example/debian\n");
    expect(content).not.toContain("security");
  });
  test("is asked for where neither berry.toml nor the host knows one", () => {
    const plan = () => planFor(debian, {}, { facts: makeFacts({ debianMirror: null }) });
    expect(plan).toThrow(BerryError);
    expect(plan).toThrow("no mirror for Debian: berry.toml names none, and this host's apt uses none");
  });
});
