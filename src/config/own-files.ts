import type { Node } from "./cluster.ts";
import { monitorRole } from "./names.ts";
import type { Flaw } from "./problem.ts";

/** Files of an image that berry writes itself, whatever else it holds: who would write them, too, would do so in vain. */
const always: readonly (readonly [path: RegExp, setting: string])[] = [
  [/^\/etc\/host(name|s)$/, "it says how the node is called: name in [[node]]"],
  [/^\/etc\/fstab$/, "it says by which ids the node finds its partitions; there is no setting for it"],
  [
    /^\/boot(\/firmware)?\/cmdline\.txt$|^\/etc\/default\/raspi-extra-cmdline$/,
    "words are added to it by cmdline in [image]",
  ],
  [
    /^\/etc\/systemd\/network\/20-wired\.network$/,
    "it comes of [network]; a file of another name, before it in order, is read first",
  ],
  [/^\/etc\/berry\/node\.toml$/, "it says what the node is: role in [[node]]"],
  [/^\/etc\/machine-id$|^\/var\/lib\/dbus\/machine-id$/, "every node makes its own on its first boot"],
  [/^\/var\/lib\/systemd\/(random-seed|credential\.secret)$/, "every node makes its own on its first boot"],
];

/** What keeps the file at `path` from being the user's to give; null: nothing does. */
export function ownFileFlaw(
  { path, secret }: Node["image"]["files"][number],
  { role, ssh, wifi, fan }: Pick<Node, "role" | "ssh" | "wifi" | "fan">,
): Flaw | null {
  const problem = "berry writes this file itself";
  const setting = always.find(([pattern]) => pattern.test(path))?.[1];
  if (setting !== undefined) return { problem, remedy: `leave it out: ${setting}` };
  if (
    wifi !== null &&
    /^\/etc\/(systemd\/network\/25-wireless\.network|wpa_supplicant\/wpa_supplicant-wlan0\.conf|systemd\/system\/sys-subsystem-net-devices-wlan0\.device\.wants\/wpa_supplicant@wlan0\.service)$/.test(
      path,
    )
  )
    return { problem, remedy: "leave it out, or take away [wifi], of which it comes" };
  if (fan !== null && path === "/etc/berry/fand.toml")
    return { problem, remedy: "leave it out, or take away [fan], of which it comes" };
  if (role === monitorRole && /^\/etc\/prometheus\/(prometheus|berry-alerts)\.yml$/.test(path))
    return {
      problem,
      remedy: "leave it out and change it on the node or by script in [image], or give the node another role",
    };
  if (/^\/etc\/ssh\/ssh_host_[^/]+$/.test(path)) {
    if (ssh.hostKeys !== null)
      return {
        problem: "a host key beside those of host_keys",
        remedy: `put it into ${ssh.hostKeys}/NODE, or set host_keys = false in [ssh]`,
      };
    if (!secret)
      return {
        problem: "a host key that nodes would share",
        remedy: "name a folder with host_keys in [ssh], or write secret = true",
      };
  }
  return null;
}
