import type { Node } from "../../config/cluster.ts";
import type { Step } from "../step.ts";
import type { Target } from "../targets/target.ts";

/** The user of berry.toml, without the password, and who of the rootfs has to go. */
export function userSteps({ user, ssh }: Node, target: Target, root: string): Step[] {
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
