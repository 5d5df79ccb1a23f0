import { nearest } from "../core/nearest.ts";
import type { Check, Flaw } from "./problem.ts";

/** One label of a host name (RFC 1123, section 2.1), lower case. */
export const checkHostName: Check = (name) => {
  if (name === "localhost")
    return { problem: "taken by every machine", remedy: 'choose another name, such as "pi1"' };
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return null;
  return {
    problem: "not a host name",
    remedy: "use 1 to 63 lower-case letters, digits and hyphens, without a hyphen at either end",
  };
};

/** Users that the distributions' packages bring along. */
const systemUsers = new Set(
  "_apt _flatpak adm alpm avahi avahi-autoipd backup bin colord daemon dbus dhcpcd dnsmasq ftp games git gnats halt http irc list lp lpd mail man messagebus named news nobody ntp operator polkitd postgres proxy rpc rpcuser rtkit shutdown sshd sync sys systemd-coredump systemd-journal-remote systemd-journal-upload systemd-network systemd-oom systemd-resolve systemd-timesync tcpdump tss usbmux uucp uuidd www-data".split(
    " ",
  ),
);

/** A user whom useradd(8) makes, and who is none of the system's own. */
export const checkUserName: Check = (name) => {
  if (name === "root") {
    return {
      problem: "root cannot be the user",
      remedy: 'name an ordinary user; sudo = "no-password" gives it root\'s power',
    };
  }
  if (systemUsers.has(name)) return { problem: "a name of the system's own", remedy: "choose another name" };
  return checkAccountName(name, "not a user name");
};

export const checkGroupName: Check = (name) => checkAccountName(name, "not a group name");

/** The owner of a file: a name, or a number as chown(1) takes it. */
export const checkOwner: Check = (owner) => {
  if (/^\d{1,9}$/.test(owner)) return null;
  return checkAccountName(owner, "neither a name nor a number");
};

function checkAccountName(name: string, problem: string): Flaw | null {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return null;
  return {
    problem,
    remedy: "use 1 to 32 lower-case letters, digits, hyphens and underscores, with a letter first",
  };
}

export const checkRole: Check = (role) => {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(role)) return null;
  return {
    problem: "not a role",
    remedy: 'use one word of lower-case letters, digits and hyphens, such as "node"',
  };
};

/** The role of a node that watches the others; all other roles are but names. */
export const monitorRole = "monitor";

/** A name that pacman or apt takes. */
export const checkPackageName: Check = (name) => {
  if (/^[A-Za-z0-9@_+][A-Za-z0-9@._+-]{0,127}$/.test(name)) return null;
  return {
    problem: "not a package name",
    remedy: 'give one name for each package, such as packages = ["vim", "htop"]',
  };
};

const unitTypes = ["service", "socket", "timer", "target", "path", "mount", "automount", "swap", "slice"];

/** A unit name (systemd.unit(5)); without a type it is a service. */
export const checkUnitName: Check = (name) => {
  if (!/^[A-Za-z0-9:_.\\@-]{1,247}$/.test(name) || /^[.@-]/.test(name)) {
    return { problem: "not a systemd unit", remedy: 'use a name such as "docker.service"' };
  }
  const dot = name.lastIndexOf(".");
  const type = name.slice(dot + 1);
  if (dot === -1 || unitTypes.includes(type)) return null;
  const meant = nearest(type, unitTypes);
  if (meant === undefined) return null;
  return { problem: "no type of systemd unit", remedy: `did you mean "${name.slice(0, dot)}.${meant}"?` };
};

export function withUnitType(name: string): string {
  const type = name.slice(name.lastIndexOf(".") + 1);
  return name.includes(".") && unitTypes.includes(type) ? name : `${name}.service`;
}

/** The name of a shipped target, or a path of a target file: with a `/`, or ending in `.toml`. */
export const checkTarget: Check = (target) => {
  if (isTargetPath(target) || /^[a-z0-9][a-z0-9-]*$/.test(target)) return null;
  return {
    problem: "neither the name of a target nor a path",
    remedy: 'use a name such as "archlinuxarm-rpi-aarch64", or a path such as "./mine.toml"',
  };
};

export function isTargetPath(target: string): boolean {
  return target.includes("/") || target.endsWith(".toml");
}
