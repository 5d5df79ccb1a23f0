import { nativeDebian } from "../facts/host-facts.ts";
import type { LayerPlan } from "../bake-plan.ts";
import type { Step } from "../step.ts";
import type { AptPlace } from "./apt-files.ts";
import type { LayerPlace } from "./layer.ts";

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

/** Programs of the host's architecture stand in for the image's own from here on. */
export function bindTools(apt: AptPlace, place: LayerPlace, tools: LayerPlan | null): Step[] {
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
export function configure(root: string): Step[] {
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

/** By Debian's own tools, with the image's own programs in it. */
export function makeInitramfs(
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
export function noServices(root: string): Step {
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
