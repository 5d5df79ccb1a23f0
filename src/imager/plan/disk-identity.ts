import type { Cluster, Node } from "../../config/cluster.ts";
import type { DiskIdentity, PackImage } from "../step.ts";
import type { Target } from "../targets/target.ts";
import type { PlanRequest } from "./plan.ts";

/** Distinct for every node of every cluster, and the same each time that it is baked. */
export function diskIdentity(cluster: Cluster, node: Node, hash: (text: string) => string): DiskIdentity {
  const digest = hash(`${cluster.name}/${node.name}`);
  return {
    diskSignature: digest.slice(0, 8),
    bootVolumeId: digest.slice(8, 16).toUpperCase(),
    rootUuid: uuidOf(digest.slice(16)),
  };
}

/** Every node's image gets a UUID of its own; until then, and for what is derived from it, all have the same. */
export function packedSettled({ name }: Target, { facts, hash }: PlanRequest): Pick<PackImage, "settled"> {
  const { sourceDateEpoch: epochSeconds } = facts;
  return epochSeconds === null ? {} : { settled: { epochSeconds, rootUuid: uuidOf(hash(`target ${name}`)) } };
}

/** RFC 9562, section 5.8: version 8, of our own making. */
function uuidOf(digest: string): string {
  const variant = ((Number.parseInt(digest.slice(17, 18), 16) & 3) | 8).toString(16);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(18, 21)}-${digest.slice(21, 33)}`;
}
