import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../../../src/config/cluster.ts";
import { shellFunctions } from "../../../../src/imager/script/functions.ts";
import { planScript } from "../../../../src/imager/script/script.ts";
import type { Plan } from "../../../../src/imager/bake-plan.ts";
import type { Step } from "../../../../src/imager/step.ts";
import { commandRunner } from "../../../../src/system/command-runner.ts";
import { expectGolden } from "../../../fixtures/golden.ts";
import {
  arch,
  debian,
  makeCluster,
  makeFacts,
  makeFan,
  makeNode,
  planOf,
  wifi,
} from "../plan/cluster-values.ts";

const { signal } = new AbortController();
const asUser = { isRoot: false };

const archCluster = makeCluster(arch, [
  makeNode("pi1", {
    image: { packages: ["vim", "htop"], timezone: "Asia/Shanghai" },
    wifi,
    fan: makeFan(),
  }),
  makeNode("pi2", {
    image: {
      packages: ["vim", "htop"],
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
    network: { static: { addresses: ["192.168.1.12/24"], gateway: "192.168.1.1" }, dns: ["192.168.1.1"] },
  }),
]);
const debianCluster = makeCluster(debian, [
  makeNode("pi1", {
    image: {
      packages: ["vim"],
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
      configTxt: ["dtparam=audio=off"],
    },
    user: { password: { kind: "hash", hash: "$y$j9T$ThisIsTheSecretHash" } },
    wifi: { ...wifi, security: "wpa3" },
    fan: makeFan({ pin: 17, mode: "on-off" }),
  }),
]);

const scripts: readonly (readonly [string, string])[] = [
  ["archlinuxarm.sh", planScript(planOf(archCluster), asUser)],
  ["debian.sh", planScript(planOf(debianCluster), asUser)],
  [
    "debian for a monitor",
    planScript(planOf(makeCluster(debian, [makeNode("pi1", { role: "monitor" })])), asUser),
  ],
  ["archlinuxarm as root", planScript(planOf(archCluster), { isRoot: true })],
  [
    "archlinuxarm with the image's pacman, below Linux 6.7",
    planScript(
      planOf(archCluster, {
        facts: makeFacts({
          pacmanMajor: null,
          kernel: { release: "6.1.0", major: 6, minor: 1 },
          hostHandler: "/usr/bin/qemu",
        }),
      }),
      asUser,
    ),
  ],
  [
    "debian on an arm64 host",
    planScript(planOf(debianCluster, { facts: makeFacts({ architecture: "aarch64" }) }), asUser),
  ],
];

async function bash(
  argv: readonly string[],
  stdin: string,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return await commandRunner.run(
    ["bash", ...argv],
    { stdin, env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8" } },
    signal,
  );
}

/** The script of a plan whose only node has these steps. */
function scriptOf(steps: readonly Step[], cluster: Cluster = archCluster): string {
  const plan = planOf(cluster);
  const [node] = plan.nodes;
  if (node === undefined) throw new Error("the cluster has no node");
  const bare: Plan = { ...plan, layers: [], nodes: [{ ...node, steps }] };
  return planScript(bare, asUser);
}

describe("the script of a plan", () => {
  test.each(scripts.filter(([name]) => name.endsWith(".sh")))(
    "%s is the one that was read and approved",
    async (name, script) => {
      await expectGolden(name, script);
    },
  );
  test.each(scripts)("%s is accepted by bash", async (_, script) => {
    expect(await bash(["-n"], script)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });
  test.each(scripts)("%s defines every function that it calls, and no other", (_, script) => {
    const defined = new Set([...script.matchAll(/^(\w+)\(\) \{$/gm)].map(([, name]) => name));
    const code = script.replace(/^ *#.*$/gm, "");
    for (const { name } of shellFunctions) {
      const mentions = code.match(new RegExp(`(?<![\\w./=-])${name}(?![\\w./=-])`, "g")) ?? [];
      if (name.includes("_")) expect([name, mentions.length > 0]).toEqual([name, defined.has(name)]);
      else if (defined.has(name)) expect(mentions.length).toBeGreaterThan(1);
    }
  });
  test("performs the steps of the plan, in their order and under their titles", () => {
    const plan = planOf(archCluster);
    const lines = planScript(plan, asUser).split("\n");
    let at = 0;
    for (const { title } of [...plan.layers, ...plan.nodes].flatMap(({ steps }) => steps)) {
      const found = lines.indexOf(`# ${title}`, at);
      expect([title, found >= at]).toEqual([title, true]);
      at = found + 1;
    }
  });
  test("names what is in the cache in one line each", () => {
    const { layers } = planOf(archCluster);
    const names = layers.map(({ directory }) => directory.split("/").at(-1) ?? "");
    const script = planScript(planOf(archCluster, { facts: makeFacts({ cachedLayers: names }) }), asUser);
    for (const name of names) expect(script).toContain(`\n# in the cache: ${name}\n`);
    expect(script).not.toContain("---- layer");
    expect(script).not.toContain("\ndownload ");
  });
  test("never shows a hash: it comes by environment, and is asked for before anything is done", async () => {
    const script = planScript(planOf(debianCluster), asUser);
    expect(script).not.toContain("ThisIsTheSecretHash");
    const folder = await mkdtemp(join(tmpdir(), "berry-script-"));
    const file = join(folder, "plan.sh");
    await writeFile(file, script.replace(/^cache=.*$/m, `cache=${folder}/cache`));
    const { exitCode, stderr } = await bash([file], "");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("BERRY_PASSWORD_HASH: the crypt(5) hash of chaney on pi1, as berry.toml has it");
    expect(await Bun.file(join(folder, "cache/lock")).exists()).toBe(false);
    await rm(folder, { recursive: true });
  });
  test("asks for each hash by a name of its own where nodes differ", () => {
    const hashed = (name: string, hash: string) =>
      makeNode(name, { user: { password: { kind: "hash", hash } } });
    const nodes = [hashed("pi1", "$one"), hashed("pi2", "$two"), hashed("pi3", "$one")];
    const script = planScript(planOf(makeCluster(arch, nodes)), asUser);
    expect(script).toContain(
      ': "${BERRY_PASSWORD_HASH_1:?the crypt(5) hash of chaney on pi1, chaney on pi3, as berry.toml has it}"',
    );
    expect(script).toContain(
      `printf '%s:%s\\n' chaney "$BERRY_PASSWORD_HASH_2" | in_image "$root" chpasswd --encrypted`,
    );
  });
  test("will not start itself again from standard input", async () => {
    const { exitCode, stderr } = await bash(["-s"], planScript(planOf(archCluster), asUser));
    expect(exitCode).toBe(64);
    expect(stderr).toContain("error: this script starts itself again: save it to a file");
  });
  test("writes identity maps for root alone", () => {
    expect(planScript(planOf(archCluster), { isRoot: true })).toContain("/uid_map");
    expect(planScript(planOf(archCluster), { isRoot: true })).not.toContain("--map-auto");
    expect(planScript(planOf(archCluster), asUser)).toContain("--map-auto");
  });
});

describe("values in a script", () => {
  const hostile = 'it\'s $HOME `id` "x" \\ !! *\n$(touch /tmp/berry-escaped)\nEOF\n# ';
  test("mean what they say, whatever they hold", async () => {
    const script = scriptOf([
      { title: "say it", do: "run", argv: ["printf", "%s", hostile], env: { NOTE: hostile } },
    ]);
    const line = script.slice(
      script.indexOf("# say it\n") + "# say it\n".length,
      script.indexOf("\n\n# publish"),
    );
    const { stdout } = await bash(["-c", `${line}; true`], "");
    expect(stdout).toBe(hostile);
    const env = line.replace(/ printf .*/s, " printenv NOTE");
    expect((await bash(["-c", env], "")).stdout).toBe(`${hostile}\n`);
  });
  test.each([hostile, `${hostile}\n`, "EOF\nEOF_\n", "", "\n", "no line end", "\ttab\r\n"])(
    "are fed as they are: %j",
    async (content) => {
      const script = scriptOf([{ title: "feed it", do: "run", argv: ["cat"], stdin: content }]);
      const lines = script.slice(script.indexOf("# feed it\n"), script.indexOf("\n\n# publish"));
      expect((await bash(["-c", lines], "")).stdout).toBe(content);
    },
  );
  test("do not escape from a title", async () => {
    const script = scriptOf([{ title: "wifi for\necho escaped\r\u2028", do: "run", argv: ["true"] }]);
    expect(script).toContain("\n# wifi for echo escaped \ntrue\n");
  });
  test("do not escape from wpa_supplicant's configuration", async () => {
    const step: Step = {
      title: "join",
      do: "write-wifi",
      root: "/r",
      path: "/etc/wpa.conf",
      wifi: { ...wifi, ssid: "$(id)`id`'\n", security: "wpa3", hidden: true },
    };
    const script = scriptOf([step]);
    const lines = script.slice(script.indexOf("# join\n"), script.indexOf("\n\n# publish"));
    const stub = `first_line() { printf '%s\\n' 'pa$$ "\`id\`\\'; }\nwrite_file() { cat; }\n`;
    const { stdout } = await bash(["-c", `${stub}${lines}`], "");
    expect(stdout).toBe(
      [
        "ctrl_interface=DIR=/run/wpa_supplicant GROUP=root",
        "update_config=0",
        "country=CN",
        "",
        "network={",
        `\tssid=${Buffer.from("$(id)`id`'\n").toString("hex")}`,
        "\tscan_ssid=1",
        "\tkey_mgmt=SAE",
        "\tieee80211w=2",
        '\tsae_password="pa$$ "`id`\\"',
        "}",
        "",
      ].join("\n"),
    );
  });
});
