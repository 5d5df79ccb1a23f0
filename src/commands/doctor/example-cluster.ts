import { join } from "node:path";
import type { Cluster } from "../../config/cluster.ts";

/**
 * One node as `berry init` describes it: what a bake would need where there is no berry.toml yet.
 * @param folder absolute path of the folder that berry.toml would be in
 */
export function exampleCluster(folder: string): Cluster {
  return {
    name: "berry",
    file: join(folder, "berry.toml"),
    target: "archlinuxarm-rpi-aarch64",
    outputDirectory: join(folder, "images"),
    nodes: [
      {
        name: "pi1",
        role: "node",
        image: {
          mirror: null,
          timezone: "UTC",
          locale: "C.UTF-8",
          locales: [],
          keymap: "us",
          packages: [],
          services: [],
          files: [],
          script: null,
          configTxt: [],
          cmdline: [],
          marginBytes: 256 * 1024 * 1024,
        },
        user: {
          name: "pi",
          password: { kind: "file", path: join(folder, "secret/password") },
          authorizedKeys: [],
          groups: [],
          sudo: "password",
          shell: "/bin/bash",
        },
        ssh: { passwordLogin: true, hostKeys: join(folder, "secret/host-keys") },
        network: { static: null, dns: [] },
        wifi: null,
        fan: null,
      },
    ],
  };
}
