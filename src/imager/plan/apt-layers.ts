import type { LayerPlan } from "../bake-plan.ts";
import type { Step } from "../step.ts";
import { bindTools, configure, makeInitramfs, noServices } from "./apt-configure.ts";
import { aptFiles, deb822 } from "./apt-files.ts";
import type { AptPlace, AptTarget } from "./apt-files.ts";
import { openRoot } from "./layer.ts";
import type { LayerPlace } from "./layer.ts";

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
  "openssl",
  "systemd",
  "udev",
];

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
  const essential = `${temporary}/essential`;
  const rest = `${temporary}/rest`;
  const fetch = { do: "fetch-debs", config, archives } as const;
  const wanted = wantedPackages(apt);
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
    ...checkDebs(apt, root, [essential, rest]),
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
    ...markManual(config, wanted),
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
    listDebs(place, [essential, rest]),
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
    ...checkDebs(apt, root, [debs]),
    openRoot(root),
    noServices(root),
    { title: "unpack packages", do: "install-debs", root, action: { unpack: debs } },
    ...bindTools(apt, place, tools),
    ...configure(root),
    ...markManual(config, [...wantedPackages(apt), ...packages]),
    // only if one of them asked for it
    ...makeInitramfs(apt, root, tools, [
      "sh",
      "-c",
      "test ! -e /run/berry/held-back/update-initramfs || update-initramfs -u -k all",
    ]),
    listDebs(place, [debs]),
    sweep(root),
  ];
}

/** Compares what was downloaded with what is locked, if anything is. */
function checkDebs({ locked }: AptPlace, root: string, folders: readonly string[]): Step[] {
  return locked === null
    ? []
    : [
        {
          title: "compare the packages with the lock",
          do: "check-lock",
          root,
          locked,
          found: { kind: "folders", folders },
        },
      ];
}

function listDebs({ root, work }: LayerPlace, folders: readonly string[]): Step {
  return {
    title: "note the packages",
    do: "list-software",
    root,
    database: "dpkg",
    files: { kind: "folders", folders },
    into: work,
  };
}

function wantedPackages({ target: { packages } }: AptPlace): string[] {
  return [...packages.base, ...packages.wifi, ...packages.kernel];
}

/** dpkg alone notes nothing: for apt, all that came along would be what somebody asked for, and never be removed. */
function markManual(config: string, wanted: readonly string[]): Step[] {
  const mark = (title: string, argv: readonly string[]): Step => ({
    title,
    do: "run",
    argv: ["apt-mark", ...argv],
    env: { APT_CONFIG: config },
  });
  return [
    mark("note what came along", ["auto", "?installed"]),
    mark("note what was asked for", ["manual", ...wanted]),
  ];
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
      "/var/cache/apt/*.bin",
      "/var/cache/debconf/config.dat-old",
      "/var/cache/debconf/templates.dat-old",
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
