import type { Node } from "../../config/cluster.ts";
import type { HostFacts } from "../facts/host-facts.ts";
import type { Step } from "../step.ts";
import type { Target } from "../targets/target.ts";
import { fandSteps } from "./fan-steps.ts";
import { probeSteps, probeUnits } from "./probe-steps.ts";
import { fandUnit, firstBootUnits, growProgram } from "./systemd-units.ts";

/** Berry itself, its services, and what it does on the first boot. */
export function berrySteps(node: Node, target: Target, facts: HostFacts, root: string): Step[] {
  const { berry } = facts;
  return [
    // a package was installed below
    ...(berry === null || berry.package !== null
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
    ...unitsOf(target).map((name): Step => ({
      title: `install ${name}`,
      do: "write",
      root,
      path: `/usr/lib/systemd/system/${name}`,
      content: firstBootUnits[name],
      mode: 0o644,
      owner: "0:0",
    })),
    ...fandSteps(target, facts, root),
    ...probeSteps(node, target, facts, root),
  ];
}

function unitsOf(target: Target): (keyof typeof firstBootUnits)[] {
  const common = ["berry-grow.service", "berry-host-keys.service"] as const;
  return target.family === "pacman" ? [...common, "berry-pacman-key.service"] : [...common];
}

export function fileSteps({ image }: Node, facts: HostFacts, root: string): Step[] {
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
export function serviceSteps(node: Node, target: Target, facts: HostFacts, root: string): Step[] {
  return [
    {
      title: "enable services",
      do: "run",
      env: offline,
      argv: [
        "systemctl",
        `--root=${root}`,
        "enable",
        ...target.services.enable,
        ...node.image.services,
        ...unitsOf(target),
        ...(facts.berry === null ? [] : [fandUnit.name]),
        ...probeUnits(node, target, facts),
      ],
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

export function scriptSteps({ image }: Node, facts: HostFacts, root: string): Step[] {
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
