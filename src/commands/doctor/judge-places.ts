import { dirname } from "node:path";
import type { Cluster } from "../../config/cluster.ts";
import type { HostFacts } from "../../imager/facts/host-facts.ts";
import type { BakeFacts } from "./judge-bake.ts";
import { type Finding, missing, partly } from "./finding.ts";
import type { BlockedPlace, Obstacle, Place } from "./places-file.ts";

type ClusterUse = Exclude<Place["use"], "cache">;

/** Where a bake of the cluster would write; without a berry.toml that can be read, where one would be written. Pure. */
export function placesOf(
  cluster: Cluster,
  host: Pick<HostFacts, "cacheDirectory" | "hostKeys">,
  state: BakeFacts["file"]["state"],
): readonly Place[] {
  const cache: Place = { use: "cache", folder: host.cacheDirectory };
  const folder = dirname(cluster.file);
  if (state !== "read") return [cache, { use: "berry.toml", folder }];
  // a node's key that is there already is not made again
  const keyFolders = cluster.nodes.flatMap(({ name, ssh }) =>
    ssh.hostKeys === null || (host.hostKeys[name] ?? []).length > 0 ? [] : [ssh.hostKeys],
  );
  return [
    cache,
    { use: "images", folder: cluster.outputDirectory },
    ...[...new Set(keyFolders)].map((each): Place => ({ use: "host keys", folder: each })),
    { use: "lock", folder },
  ];
}

/** One finding for each obstacle, whatever it stands in the way of. Pure. */
export function judgePlaces(blocked: readonly BlockedPlace[]): readonly Finding[] {
  const groups = Map.groupBy(blocked, ({ use, obstacle: { at } }) => `${use === "cache" ? use : ""}\0${at}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const reason = reasonOf(first.obstacle);
    if (first.use === "cache")
      return [
        missing(
          `the cache ${first.folder} cannot be written: ${reason}`,
          "berry imager bake --cache-dir FOLDER; for good: export XDG_CACHE_HOME=FOLDER",
        ),
      ];
    if (first.use === "berry.toml")
      return [
        partly(
          `no cluster can be kept in ${first.folder}: ${reason}`,
          "cd to a folder of your own; berry init --dir FOLDER writes a berry.toml there",
        ),
      ];
    const uses = group.flatMap(({ use }) => (use === "cache" ? [] : [use]));
    return [missing(`cannot write ${uses.map(nameOf).join(", ")}: ${reason}`, remedyFor(uses))];
  });
}

function reasonOf({ at, why }: Obstacle): string {
  switch (why) {
    case "read-only":
      return `the file system of ${at} is read-only`;
    case "denied":
      return `you may not write to ${at}`;
    case "no folder":
      return `${at} is not a folder`;
  }
}

function nameOf(use: ClusterUse): string {
  switch (use) {
    case "images":
      return "the images";
    case "host keys":
      return "the host keys";
    case "lock":
      return "berry.lock";
    case "berry.toml":
      return "berry.toml";
  }
}

/** The lock lies beside berry.toml, wherever the others are told to go. */
function remedyFor(uses: readonly ClusterUse[]): string {
  if (uses.includes("lock") || uses.includes("berry.toml"))
    return "copy berry.toml and the files that it names to a folder of your own, and bake there";
  return [
    ...(uses.includes("images") ? ["name another folder with output in [image] of berry.toml"] : []),
    ...(uses.includes("host keys") ? ["name another folder with host_keys in [ssh] of berry.toml"] : []),
  ].join("; ");
}
