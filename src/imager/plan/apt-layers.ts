import type { HostFacts } from "../host-facts.ts";
import { nativeDebian } from "../host-facts.ts";
import type { LayerPlan, Step } from "../step.ts";
import type { Target } from "../target.ts";
import { aptConf, sourcesList } from "./apt-conf.ts";
import type { DebianMirror } from "./apt-conf.ts";
import { openRoot } from "./layer.ts";
import type { LayerPlace } from "./layer.ts";

export type AptTarget = Extract<Target, { family: "apt" }>;

/**
 * Programs that scripts of Debian's packages run most, taken from packages of the host's architecture and
 * of the same release: the shell, perl, coreutils, and systemd's own builders of databases.
 */
const nativeToolPackages = [
  "dash",
  "bash",
  "coreutils",
  "sed",
  "grep",
  "mawk",
  "findutils",
  "perl-base",
  "tar",
  "gzip",
  "cpio",
  "zstd",
  "debianutils",
  "util-linux",
  "kmod",
  "systemd",
  "udev",
];

/** They answer for the architecture, or read the image's shared libraries. */
const keptEmulated = ["arch", "uname", "ldd", "ldconfig", "getconf", "locale", "localedef", "iconvconfig"];

/** What mkinitramfs runs often and its hooks do not copy: klibc has the initramfs' own. */
const neverInInitramfs = [
  "dash",
  "bash",
  "perl",
  "sed",
  "grep",
  "mawk",
  "find",
  "xargs",
  "cpio",
  "gzip",
  "zstd",
  "cat",
  "cp",
  "mv",
  "rm",
  "mkdir",
  "mktemp",
  "rmdir",
  "ln",
  "ls",
  "readlink",
  "realpath",
  "touch",
  "chmod",
  "chown",
  "sort",
  "uniq",
  "tr",
  "cut",
  "head",
  "tail",
  "wc",
  "basename",
  "dirname",
  "stat",
  "date",
  "tee",
  "env",
  "expr",
  "install",
];

export interface AptPlace {
  readonly target: AptTarget;
  readonly mirror: DebianMirror;
  readonly facts: HostFacts;
  readonly hash: (text: string) => string;
}

/** Programs of the host's architecture, unpacked and never installed. */
export function nativeToolSteps(apt: AptPlace, place: LayerPlace, architecture: string): Step[] {
  const { config, archives, steps } = aptFiles(apt, place, architecture);
  return [
    ...steps,
    {
      title: `download native tools`,
      do: "fetch-debs",
      config,
      archives,
      packages: nativeToolPackages,
      into: `${place.temporary}/debs`,
      except: null,
    },
    {
      title: "unpack native tools",
      do: "unpack-debs",
      from: `${place.temporary}/debs`,
      into: `${place.root}/tools`,
    },
  ];
}

/** The whole system of the target: bootstrapped, configured in one pass, with kernel and initramfs. */
export function aptSystemSteps(apt: AptPlace, place: LayerPlace, tools: LayerPlan | null): Step[] {
  const { config, archives, steps } = aptFiles(apt, place, "arm64");
  const { root, temporary } = place;
  const { packages } = apt.target;
  const essential = `${temporary}/essential`;
  const rest = `${temporary}/rest`;
  const fetch = { do: "fetch-debs", config, archives } as const;
  const wanted = [...packages.base, ...packages.wifi, ...packages.kernel];
  return [
    ...steps,
    {
      title: "download essential packages",
      ...fetch,
      packages: ["?essential", "apt"],
      into: essential,
      except: null,
    },
    {
      title: "download the system's packages",
      ...fetch,
      packages: ["?essential", "apt", ...wanted],
      into: rest,
      except: essential,
    },
    { title: "unpack essential packages", do: "unpack-debs", from: essential, into: root },
    openRoot(root),
    noServices(root),
    { title: "register essential packages", do: "install-debs", root, action: { unpack: essential } },
    ...bindTools(apt, place, tools),
    { title: "unpack the system's packages", do: "install-debs", root, action: { unpack: rest } },
    ...bindTools(apt, place, tools),
    {
      title: "choose the initramfs' modules",
      do: "write",
      root,
      path: "/usr/share/initramfs-tools/modules.d/berry",
      mode: 0o644,
      owner: "0:0",
      content: `# what the root file system is found with, on every model\n${apt.target.initramfs.modules.join("\n")}\n`,
    },
    {
      title: "choose the initramfs' size",
      do: "write",
      root,
      path: "/etc/initramfs-tools/conf.d/berry",
      mode: 0o644,
      owner: "0:0",
      content: "# only the modules that are listed: an update on the Pi takes seconds\nMODULES=list\n",
    },
    ...configure(root),
    ...firmwareSettings(apt.target, root),
    ...makeInitramfs(apt, root, tools, ["update-initramfs", "-c", "-k", "all"]),
    {
      title: "name the mirror",
      do: "write",
      root,
      path: "/etc/apt/sources.list.d/debian.sources",
      mode: 0o644,
      owner: "0:0",
      content: deb822(apt),
    },
    sweep(root),
  ];
}

/** Further packages, on top of the system. */
export function aptPackageSteps(
  apt: AptPlace,
  place: LayerPlace,
  tools: LayerPlan | null,
  packages: readonly string[],
): Step[] {
  const { config, archives, steps } = aptFiles(apt, place, "arm64");
  const { root, temporary } = place;
  const debs = `${temporary}/debs`;
  return [
    ...steps,
    {
      title: `download ${packages.join(", ")}`,
      do: "fetch-debs",
      config,
      archives,
      packages,
      into: debs,
      except: null,
    },
    openRoot(root),
    noServices(root),
    { title: "unpack packages", do: "install-debs", root, action: { unpack: debs } },
    ...bindTools(apt, place, tools),
    ...configure(root),
    // only if one of them asked for it
    ...makeInitramfs(apt, root, tools, [
      "sh",
      "-c",
      "test ! -e /run/berry/held-back/update-initramfs || update-initramfs -u -k all",
    ]),
    sweep(root),
  ];
}

/** apt's files for one layer; lists and archives are shared by all bakes, as apt verifies them itself. */
function aptFiles(
  apt: AptPlace,
  place: LayerPlace,
  architecture: string,
): { config: string; archives: string; steps: Step[] } {
  const sources = sourcesList(apt.target.apt, apt.mirror);
  const shared = `${apt.facts.cacheDirectory}/apt/${architecture}-${apt.hash(sources).slice(0, 12)}`;
  const config = `${place.work}/tmp/apt.conf`;
  const status = `${place.root}/var/lib/dpkg`;
  const file = (path: string, content: string, title: string): Step => ({
    title,
    do: "write",
    root: place.work,
    path: `/tmp/${path}`,
    content,
    mode: 0o644,
    owner: "0:0",
  });
  const steps: Step[] = [
    file(
      "apt.conf",
      aptConf({ root: place.root, temporary: place.temporary, shared, architecture }),
      "configure apt",
    ),
    file("sources.list", sources, "name the mirror"),
    {
      title: "prepare apt",
      do: "run",
      argv: [
        "mkdir",
        "-p",
        `${shared}/lists/partial`,
        `${shared}/archives/partial`,
        `${place.temporary}/etc`,
        status,
        `${place.root}/var/log`,
      ],
    },
    { title: "prepare dpkg", do: "run", argv: ["touch", `${status}/status`] },
    {
      title: `update the package lists (${architecture})`,
      do: "run",
      argv: ["apt-get", "--quiet", "--error-on=any", "update"],
      env: { APT_CONFIG: config },
    },
  ];
  return { config, archives: `${shared}/archives`, steps };
}

function bindTools(apt: AptPlace, place: LayerPlace, tools: LayerPlan | null): Step[] {
  const native = nativeDebian(apt.facts);
  if (tools === null || native === null) return [];
  return [
    {
      title: "lend native tools",
      do: "native-tools",
      root: place.root,
      tools: `${tools.directory}/tree/tools`,
      libraries: native.libraries,
      except: keptEmulated,
    },
  ];
}

/** The initramfs is made once, by itself; host keys belong to a node. */
function configure(root: string): Step[] {
  const held = ["/usr/sbin/update-initramfs", "/usr/bin/ssh-keygen"];
  return [
    ...held.map((path): Step => ({
      title: `hold ${path} back`,
      do: "hide-program",
      root,
      path,
      shown: false,
    })),
    { title: "configure packages", do: "install-debs", root, action: "configure" },
    ...held.map((path): Step => ({
      title: `give ${path} back`,
      do: "hide-program",
      root,
      path,
      shown: true,
    })),
  ];
}

function makeInitramfs(
  apt: AptPlace,
  root: string,
  tools: LayerPlan | null,
  argv: readonly string[],
): Step[] {
  const native = nativeDebian(apt.facts);
  return [
    ...(tools === null || native === null
      ? []
      : [
          {
            title: "take back what the initramfs would copy",
            do: "return-tools",
            root,
            keep: neverInInitramfs,
            libraries: native.libraries,
            withoutLibraries: ["libkmod.so"],
          } as const,
        ]),
    { title: "make the initramfs", do: "chroot", root, argv },
    {
      title: "check the initramfs",
      do: "check-initramfs",
      root,
      folder: "/boot",
      architecture: apt.target.architecture,
    },
  ];
}

/** Packages ask this script whether services may be started (policy-rc.d of invoke-rc.d(8)). */
function noServices(root: string): Step {
  return {
    title: "hold services back",
    do: "write",
    root,
    path: "/usr/sbin/policy-rc.d",
    content: "#!/bin/sh\nexit 101\n",
    mode: 0o755,
    owner: "0:0",
  };
}

/** What installing leaves behind that no image needs, or that must not be shared. */
function sweep(root: string): Step {
  return {
    title: "sweep",
    do: "remove",
    root,
    paths: [
      "/usr/sbin/policy-rc.d",
      "/var/log/dpkg.log",
      "/var/log/alternatives.log",
      "/var/log/apt/*",
      "/var/log/bootstrap.log",
      "/var/lib/dpkg/status-old",
      "/var/lib/dpkg/available",
      "/var/cache/apt/*",
      "/var/cache/debconf/config.dat-old",
      "/var/cache/debconf/templates.dat-old",
      "/var/lib/apt/lists/*",
      "/etc/machine-id",
      "/var/lib/systemd/random-seed",
      "/var/lib/dbus/machine-id",
    ],
  };
}

function firmwareSettings(target: AptTarget, root: string): Step[] {
  const { settings } = target.boot;
  if (settings === undefined) return [];
  return settings.lines.map((line) => ({
    title: `set ${line}`,
    do: "set-line",
    root,
    path: settings.file,
    startsWith: `${line.split("=")[0]}=`,
    line,
  }));
}

function deb822({ target, mirror }: AptPlace): string {
  const { suite, components, keyring } = target.apt;
  const stanza = (url: string, suites: string): string =>
    [
      "Types: deb",
      `URIs: ${url}`,
      `Suites: ${suites}`,
      `Components: ${components.join(" ")}`,
      `Signed-By: /usr/share/keyrings/${keyring}`,
      "",
    ].join("\n");
  return [
    stanza(mirror.url, `${suite} ${suite}-updates`),
    ...(mirror.securityUrl === null ? [] : [stanza(mirror.securityUrl, `${suite}-security`)]),
  ].join("\n");
}
