import type { Node } from "../../config/cluster.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import type { Step } from "../step.ts";
import type { Target } from "../targets/target.ts";
import { openRoot } from "./layer.ts";
import { localeSteps, timeSteps } from "./locale-steps.ts";
import { berrySteps, fileSteps, scriptSteps, serviceSteps } from "./software-steps.ts";
import { userSteps } from "./user-steps.ts";

/**
 * What nodes share beyond packages: the account without its password, time, language, services, files,
 * berry itself, and the script. Nothing in here is secret or belongs to one node.
 */
export function customiseSteps(node: Node, target: Target, facts: HostFacts, root: string): Step[] {
  return [
    // before the root is opened: the host's name servers are lent where this link leads, in memory
    {
      title: "resolve by systemd-resolved",
      do: "symlink",
      root,
      path: "/etc/resolv.conf",
      target: "../run/systemd/resolve/stub-resolv.conf",
    },
    openRoot(root),
    ...userSteps(node, target, root),
    ...timeSteps(node, root),
    ...localeSteps(node, target, facts, root),
    ...networkSteps(target, root),
    ...firmwareSteps(node, target, root),
    ...berrySteps(node, target, facts, root),
    ...fileSteps(node, facts, root),
    ...serviceSteps(node, target, facts, root),
    ...scriptSteps(node, facts, root),
    ...anonymousSteps(target, root),
  ];
}

function networkSteps(target: Target, root: string): Step[] {
  return [
    {
      title: "leave mDNS to avahi",
      do: "write",
      root,
      path: "/etc/systemd/resolved.conf.d/10-berry.conf",
      content: "[Resolve]\nMulticastDNS=no\nLLMNR=no\n",
      mode: 0o644,
      owner: "0:0",
    },
    ...(target.nss_hosts === undefined
      ? []
      : [
          {
            title: "look hosts up by mDNS too",
            do: "set-line",
            root,
            path: "/etc/nsswitch.conf",
            startsWith: "hosts:",
            line: `hosts: ${target.nss_hosts}`,
          } as const,
        ]),
  ];
}

function firmwareSteps({ image }: Node, { boot }: Target, root: string): Step[] {
  const lines = [...boot.config_txt, ...image.configTxt];
  const files = [
    `${boot.mount}/config.txt`,
    ...(boot.settings === undefined ? [] : [boot.settings.config_txt_file]),
  ];
  return lines.length === 0
    ? []
    : files.flatMap((path) => [
        // the firmware reads further lines under the last filter it saw
        {
          title: "open a section of config.txt",
          do: "add-lines",
          root,
          path,
          lines: ["[all]"],
        } as const,
        ...lines.map((line): Step => ({
          title: `config.txt: ${line}`,
          do: "set-line",
          root,
          path,
          startsWith: line,
          line,
        })),
      ]);
}

/** What every node has to make for itself is gone or empty (machine-id(5): empty, so that it is no first boot with presets). */
function anonymousSteps({ boot }: Target, root: string): Step[] {
  return [
    {
      title: "forget identities",
      do: "remove",
      root,
      paths: [
        "/etc/ssh/ssh_host_*",
        "/var/lib/systemd/random-seed",
        // systemd-creds(1) encrypts with it
        "/var/lib/systemd/credential.secret",
        "/var/lib/NetworkManager/secret_key",
        // the client that DHCPv6 servers know
        "/var/lib/dhcpcd/duid",
        `${boot.mount}/loader/random-seed`,
        // folders named after a machine-id
        "/var/log/journal/*",
        "/var/lib/dbus/machine-id",
        "/etc/pacman.d/gnupg",
        "/var/log/*.log",
        "/root/.bash_history",
        "/etc/nsswitch.conf.nss.*",
        "/var/lib/systemd/timesync/clock",
      ],
    },
    // or the first boot rebuilds what is there already: hwdb, ldconfig's cache, catalogs (systemd-update-done.service(8))
    ...["/etc/.updated", "/var/.updated"].map((path): Step => ({
      title: `mark ${path.split("/")[1]} as up to date`,
      do: "write",
      root,
      path,
      content: "",
      mode: 0o644,
      owner: "0:0",
    })),
    {
      title: "leave machine-id to the first boot",
      do: "write",
      root,
      path: "/etc/machine-id",
      content: "",
      mode: 0o444,
      owner: "0:0",
    },
  ];
}
