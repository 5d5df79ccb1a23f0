import type { Node } from "../../config/cluster.ts";
import type { HostFacts } from "../host-facts.ts";
import type { Step } from "../step.ts";
import type { Target } from "../target.ts";
import { openRoot } from "./layer.ts";
import { firstBootUnits, growProgram } from "./units.ts";

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
    ...berrySteps(facts, root),
    ...fileSteps(node, facts, root),
    ...serviceSteps(node, target, root),
    ...scriptSteps(node, facts, root),
    ...anonymousSteps(root),
  ];
}

function userSteps({ user, ssh }: Node, target: Target, root: string): Step[] {
  const groups = [...new Set([...target.users.groups, ...user.groups])];
  const home = `/home/${user.name}`;
  const owner = `${user.name}:${user.name}`;
  const sudoers = { password: "ALL=(ALL:ALL) ALL", "no-password": "ALL=(ALL:ALL) NOPASSWD: ALL", none: null }[
    user.sudo
  ];
  return [
    ...target.users.remove.map((name): Step => ({
      title: `remove the user ${name}`,
      do: "chroot",
      root,
      // what the rootfs does not have need not be removed
      argv: [
        "sh",
        "-c",
        'if id -u "$1" >/dev/null 2>&1; then userdel --remove "$1" 2>/dev/null || userdel "$1"; fi',
        "sh",
        name,
      ],
    })),
    ...target.users.lock.map((name): Step => ({
      title: `lock ${name}`,
      do: "chroot",
      root,
      argv: ["usermod", "--password", "!*", name],
    })),
    ...user.groups.map((name): Step => ({
      title: `have the group ${name}`,
      do: "chroot",
      root,
      argv: ["groupadd", "--force", "--system", name],
    })),
    {
      title: `add the user ${user.name}`,
      do: "chroot",
      root,
      argv: [
        "useradd",
        "--create-home",
        "--user-group",
        "--shell",
        user.shell,
        ...(groups.length === 0 ? [] : ["--groups", groups.join(",")]),
        user.name,
      ],
    },
    ...(sudoers === null
      ? []
      : [
          {
            title: "let the user sudo",
            do: "write",
            root,
            path: "/etc/sudoers.d/10-berry",
            content: `${user.name} ${sudoers}\n`,
            mode: 0o440,
            owner: "0:0",
          } as const,
        ]),
    ...(user.authorizedKeys.length === 0
      ? []
      : ([
          { title: "make ~/.ssh", do: "make-directory", root, path: `${home}/.ssh`, mode: 0o700, owner },
          {
            title: "authorise keys",
            do: "write",
            root,
            path: `${home}/.ssh/authorized_keys`,
            content: `${user.authorizedKeys.join("\n")}\n`,
            mode: 0o600,
            owner,
          },
        ] as const)),
    {
      title: "configure sshd",
      do: "write",
      root,
      path: "/etc/ssh/sshd_config.d/10-berry.conf",
      mode: 0o644,
      owner: "0:0",
      content: ssh.passwordLogin
        ? "PermitRootLogin no\n"
        : "PermitRootLogin no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
    },
  ];
}

function timeSteps({ image }: Node, root: string): Step[] {
  return [
    {
      title: `set the time zone ${image.timezone}`,
      do: "symlink",
      root,
      path: "/etc/localtime",
      target: `/usr/share/zoneinfo/${image.timezone}`,
    },
    // a Pi has no clock: systemd starts no earlier than this file's date (systemd(1), /usr/lib/clock-epoch)
    {
      title: "set the earliest date",
      do: "write",
      root,
      path: "/usr/lib/clock-epoch",
      content: "",
      mode: 0o644,
      owner: "0:0",
    },
  ];
}

function localeSteps({ image }: Node, target: Target, facts: HostFacts, root: string): Step[] {
  const generated = [...new Set([image.locale, ...image.locales])].filter(
    (locale) => !/^(C|POSIX)(\.|$)/.test(locale),
  );
  const lines = generated.map((locale) => `${locale} ${locale.split(".")[1]?.split("@")[0] ?? "UTF-8"}`);
  return [
    ...(generated.length === 0
      ? []
      : ([
          {
            title: "choose locales",
            do: "write",
            root,
            path: "/etc/locale.gen",
            content: `${lines.join("\n")}\n`,
            mode: 0o644,
            owner: "0:0",
          },
          ...generateLocales(generated, facts, root),
        ] as const)),
    {
      title: `set the locale ${image.locale}`,
      do: "write",
      root,
      path: "/etc/locale.conf",
      content: `LANG=${image.locale}\n`,
      mode: 0o644,
      owner: "0:0",
    },
    ...keymapFiles(image.keymap, target).map(([path, content]): Step => ({
      title: `set the keymap ${image.keymap}`,
      do: "write",
      root,
      path,
      content,
      mode: 0o644,
      owner: "0:0",
    })),
  ];
}

/**
 * The host's localedef reads the image's own sources and takes a second where an emulated one takes 40;
 * a program of the image then says whether it can read the result.
 */
function generateLocales(locales: readonly string[], facts: HostFacts, root: string): Step[] {
  if (facts.programs["localedef"] === undefined)
    return [{ title: `generate ${locales.join(", ")}`, do: "chroot", root, argv: ["locale-gen"] }];
  return [
    {
      title: "make the folder of locales",
      do: "make-directory",
      root,
      path: "/usr/lib/locale",
      mode: 0o755,
      owner: "0:0",
    },
    ...locales.flatMap((locale): Step[] => {
      const [, language = "", charmap = "UTF-8", modifier = ""] =
        /^([^.@]+)(?:\.([^@]+))?(@.+)?$/.exec(locale) ?? [];
      return [
        {
          title: `generate ${locale}`,
          do: "run",
          // I18NPATH is a list, separated by colons, and the root's own path may have one
          argv: [
            "env",
            `--chdir=${root}`,
            "I18NPATH=usr/share/i18n",
            "localedef",
            `--prefix=${root}`,
            "--little-endian",
            "--force",
            `--inputfile=${language}${modifier}`,
            `--charmap=${charmap}`,
            locale,
          ],
        },
        {
          title: `try ${locale}`,
          do: "chroot",
          root,
          argv: ["locale", "charmap"],
          env: { LC_ALL: locale },
          warnAbout: "Cannot set LC_",
        },
      ];
    }),
  ];
}

/** vconsole.conf(5); Debian's console-setup reads keyboard(5), whose layouts are named by country as xkb names them. */
function keymapFiles(keymap: string, target: Target): (readonly [string, string])[] {
  const console = ["/etc/vconsole.conf", `KEYMAP=${keymap}\n`] as const;
  if (target.family !== "apt") return [console];
  const layout = keymap === "uk" ? "gb" : (keymap.split("-")[0] ?? keymap);
  return [
    console,
    [
      "/etc/default/keyboard",
      `XKBMODEL="pc105"\nXKBLAYOUT="${layout}"\nXKBVARIANT=""\nXKBOPTIONS=""\nBACKSPACE="guess"\n`,
    ],
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
          do: "set-line",
          root,
          path,
          startsWith: "[all]",
          line: "[all]",
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

function berrySteps(facts: HostFacts, root: string): Step[] {
  const { berry } = facts;
  return [
    ...(berry === null
      ? []
      : [
          {
            title: "install berry",
            do: "copy",
            source: berry.path,
            sha256: berry.sha256,
            root,
            path: "/usr/bin/berry",
            mode: 0o755,
            owner: "0:0",
          } as const,
        ]),
    {
      title: "install what runs on the first boot",
      do: "write",
      root,
      path: "/usr/lib/berry/grow",
      content: growProgram,
      mode: 0o755,
      owner: "0:0",
    },
    ...Object.entries(firstBootUnits).map(([name, content]): Step => ({
      title: `install ${name}`,
      do: "write",
      root,
      path: `/usr/lib/systemd/system/${name}`,
      content,
      mode: 0o644,
      owner: "0:0",
    })),
  ];
}

function fileSteps({ image }: Node, facts: HostFacts, root: string): Step[] {
  return image.files.filter(({ secret }) => !secret).map((file) => copyFile(file, facts, root));
}

/** A file of berry.toml, for the layer or, if it is secret, for the node. */
export function copyFile(file: Node["image"]["files"][number], facts: HostFacts, root: string): Step {
  return {
    title: `copy ${file.path}`,
    do: "copy",
    source: file.source,
    sha256: facts.digests[file.source] ?? "",
    root,
    path: file.path,
    mode: file.mode,
    owner: `${file.owner}:${file.group}`,
  };
}

/** Or systemctl would run update-rc.d of the image, emulated, for every service that has an init script too. */
const offline = { SYSTEMCTL_SKIP_SYSV: "1" } as const;

/** systemctl of the host enables offline; it reads the units' own [Install]. */
function serviceSteps({ image }: Node, target: Target, root: string): Step[] {
  const own = Object.keys(firstBootUnits).filter(
    (name) => name !== "berry-pacman-key.service" || target.family === "pacman",
  );
  return [
    {
      title: "enable services",
      do: "run",
      env: offline,
      argv: ["systemctl", `--root=${root}`, "enable", ...target.services.enable, ...image.services, ...own],
    },
    ...(target.services.disable.length === 0
      ? []
      : [
          {
            title: "disable services",
            do: "run",
            env: offline,
            argv: ["systemctl", `--root=${root}`, "disable", ...target.services.disable],
          } as const,
        ]),
  ];
}

function scriptSteps({ image }: Node, facts: HostFacts, root: string): Step[] {
  if (image.script === null) return [];
  const path = "/tmp/berry-script";
  return [
    {
      title: "copy the script",
      do: "copy",
      source: image.script,
      sha256: facts.digests[image.script] ?? "",
      root,
      path,
      mode: 0o755,
      owner: "0:0",
    },
    {
      title: `run ${image.script.split("/").at(-1)}`,
      do: "chroot",
      root,
      argv: [path],
      script: image.script,
    },
  ];
}

/** What every node has to make for itself is gone or empty (machine-id(5): empty, so that it is no first boot with presets). */
function anonymousSteps(root: string): Step[] {
  return [
    {
      title: "forget identities",
      do: "remove",
      root,
      paths: [
        "/etc/ssh/ssh_host_*",
        "/var/lib/systemd/random-seed",
        "/var/lib/dbus/machine-id",
        "/etc/pacman.d/gnupg",
        "/var/log/*.log",
        "/root/.bash_history",
        "/var/lib/systemd/timesync/clock",
      ],
    },
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
