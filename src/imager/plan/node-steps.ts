import type { Node } from "../../config/cluster.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import type { DiskIdentity, Step } from "../step.ts";
import type { Target } from "../targets/target.ts";
import { fanSteps, fanWords } from "./fan-steps.ts";
import { hostKeySteps } from "./host-key-steps.ts";
import { openRoot } from "./layer.ts";
import { roleSteps } from "./probe-steps.ts";
import { copyFile } from "./software-steps.ts";

/** What one node alone has: its name, addresses, secrets, and what it finds its partitions by. */
export function nodeSteps(
  node: Node,
  target: Target,
  facts: HostFacts,
  identity: DiskIdentity,
  root: string,
): Step[] {
  const file = (title: string, path: string, content: string): Step => ({
    title,
    do: "write",
    root,
    path,
    content,
    mode: 0o644,
    owner: "0:0",
  });
  return [
    openRoot(root),
    file("name the host", "/etc/hostname", `${node.name}\n`),
    file(
      "write /etc/hosts",
      "/etc/hosts",
      `127.0.0.1 localhost\n127.0.1.1 ${node.name}\n::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n`,
    ),
    file("write fstab", "/etc/fstab", fstab(target, identity)),
    ...commandLine(node, target, identity, root),
    file("configure the wired network", "/etc/systemd/network/20-wired.network", wiredNetwork(node)),
    ...wifiSteps(node, root),
    ...passwordSteps(node, root),
    ...hostKeySteps(node, facts, root),
    ...fanSteps(node, target, root),
    ...roleSteps(node, facts, root),
    ...node.image.files.filter(({ secret }) => secret).map((secret) => copyFile(secret, facts, root)),
  ];
}

/** nofail: a slow or broken boot partition must not lock a Pi without a screen in emergency mode. By PARTUUID: what the kernel calls the card differs between kernels and models. */
function fstab({ boot }: Target, { diskSignature }: DiskIdentity): string {
  return [
    `PARTUUID=${diskSignature}-02 / ext4 defaults,noatime 0 1`,
    `PARTUUID=${diskSignature}-01 ${boot.mount} vfat defaults,noatime,umask=0077,nofail 0 2`,
    "",
  ].join("\n");
}

function commandLine(node: Node, { boot }: Target, { diskSignature }: DiskIdentity, root: string): Step[] {
  const country = node.wifi === null ? [] : [`cfg80211.ieee80211_regdom=${node.wifi.country}`];
  const extra = [...node.image.cmdline, ...country, ...fanWords(node)];
  const partition = `PARTUUID=${diskSignature}-02`;
  const words = [...boot.cmdline, `root=${partition}`, "rootfstype=ext4", "rw", "rootwait", ...extra];
  const { settings } = boot;
  return [
    {
      title: "write cmdline.txt",
      do: "write",
      root,
      path: `${boot.mount}/cmdline.txt`,
      content: `${words.join(" ")}\n`,
      mode: 0o644,
      owner: "0:0",
    },
    ...(settings === undefined
      ? []
      : ([
          {
            title: `set ${settings.root_variable}`,
            do: "set-line",
            root,
            path: settings.file,
            startsWith: `${settings.root_variable}=`,
            line: `${settings.root_variable}="${partition} rootfstype=ext4"`,
          },
          {
            title: "keep the kernel's words",
            do: "write",
            root,
            path: settings.cmdline_file,
            content: `${extra.join(" ")}\n`,
            mode: 0o644,
            owner: "0:0",
          },
        ] as const)),
  ];
}

/** systemd.network(5). Every Ethernet card that is hardware: neither bridges nor containers' pairs. */
function wiredNetwork({ network }: Node): string {
  const addresses =
    network.static === null
      ? ["DHCP=yes"]
      : [
          ...network.static.addresses.map((address) => `Address=${address}`),
          ...(network.static.gateway === null ? [] : [`Gateway=${network.static.gateway}`]),
        ];
  return section(
    ["[Match]", "Type=ether", "Kind=!*", "", "[Link]", "RequiredForOnline=routable", "", "[Network]"],
    [...addresses, ...network.dns.map((server) => `DNS=${server}`)],
    10,
  );
}

function wifiSteps({ wifi }: Node, root: string): Step[] {
  if (wifi === null) return [];
  return [
    {
      title: "configure the wireless network",
      do: "write",
      root,
      path: "/etc/systemd/network/25-wireless.network",
      mode: 0o644,
      owner: "0:0",
      content: section(
        ["[Match]", "Type=wlan", "", "[Link]", "RequiredForOnline=no", "", "[Network]"],
        ["DHCP=yes", "IgnoreCarrierLoss=3s"],
        600,
      ),
    },
    {
      title: `configure Wi-Fi for ${wifi.ssid}`,
      do: "write-wifi",
      root,
      path: "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf",
      wifi,
    },
    // started by the interface, whenever it comes up: enabled for the boot, it would hold up sshd for 90 s without one
    {
      title: "enable Wi-Fi",
      do: "symlink",
      root,
      target: "/usr/lib/systemd/system/wpa_supplicant@.service",
      path: "/etc/systemd/system/sys-subsystem-net-devices-wlan0.device.wants/wpa_supplicant@wlan0.service",
    },
  ];
}

/** The lower the metric, the sooner a route is taken: the cable before the air. */
function section(head: readonly string[], network: readonly string[], metric: number): string {
  return [
    ...head,
    ...network,
    "",
    "[DHCPv4]",
    `RouteMetric=${metric}`,
    "",
    "[IPv6AcceptRA]",
    `RouteMetric=${metric}`,
    "",
  ].join("\n");
}

/** The image's own tools hash the password, so that its PAM can read what they wrote. */
function passwordSteps({ user }: Node, root: string): Step[] {
  if (user.password === null) return [];
  return user.password.kind === "file"
    ? [
        {
          title: `set the password of ${user.name}`,
          do: "chroot",
          root,
          argv: ["chpasswd"],
          stdin: { user: user.name, passwordFile: user.password.path },
        },
      ]
    : [
        {
          title: `set the password of ${user.name}`,
          do: "chroot",
          root,
          argv: ["chpasswd", "--encrypted"],
          stdin: { user: user.name, passwordHash: user.password.hash },
        },
      ];
}
