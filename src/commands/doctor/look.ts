import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import type { Cluster } from "../../config/cluster.ts";
import { BerryError, messageOf } from "../../core/errors.ts";
import { collectDisks } from "../../imager/disks/collect-disks.ts";
import { collectKeepPaths } from "../../imager/disks/collect-keep-paths.ts";
import { systemRoots } from "../../imager/disks/disk.ts";
import { judgeDisk } from "../../imager/disks/verdict.ts";
import { listTargets, type LoadedTarget } from "../../imager/targets/targets.ts";
import { loadTarget } from "../../imager/targets/targets-load.ts";
import { readIdentity } from "../../probe/announce/identity-file.ts";
import { readInterfaces } from "../../probe/discovery/links-file.ts";
import { lookAtBoard } from "../fand/look-at-board.ts";
import { cacheDirectory, lookAtHost } from "../imager/prepare.ts";
import { deniedDevices } from "../imager/write/permission.ts";
import { clusterNodes } from "../probe/cluster-nodes.ts";
import { readCluster } from "../read-cluster.ts";
import { systemctl } from "../systemctl.ts";
import { exampleCluster } from "./example-cluster.ts";
import { missing, type Report, type Role } from "./finding.ts";
import { type BakeFacts, judgeBake } from "./judge-bake.ts";
import { judgeCool } from "./judge-cool.ts";
import { placesOf } from "./judge-places.ts";
import { judgeProbe, type ProbeFacts, type UnitFacts } from "./judge-probe.ts";
import { judgeWrite } from "./judge-write.ts";
import { blockedPlaces } from "./places-file.ts";

const clusterFile = "berry.toml";

/** Looks at this machine for one role; nothing is changed, and no network is asked. What fails is a finding. */
export async function lookAt(role: Role, signal: AbortSignal): Promise<Report> {
  try {
    switch (role) {
      case "bake":
        return judgeBake(await bakeFacts(signal));
      case "write":
        return await lookAtCards(signal);
      case "cool":
        return judgeCool(await lookAtBoard(null, signal));
      case "probe":
        return judgeProbe({
          brokenFile: await brokenNodes(),
          interfaces: readInterfaces(),
          announcing: isRaspberryPi()
            ? {
                announce: await unitFacts("berry-announce.service", signal),
                avahi: await unitFacts("avahi-daemon.service", signal),
              }
            : null,
        });
    }
  } catch (thrown) {
    signal.throwIfAborted();
    return failedReport(role, thrown);
  }
}

export function isRaspberryPi(): boolean {
  return readIdentity("/").model?.startsWith("Raspberry Pi") === true;
}

/** Another role is looked at all the same. */
export function failedReport(role: Role, thrown: unknown): Report {
  const hint = thrown instanceof BerryError ? (thrown.hint ?? null) : null;
  return {
    role,
    level: "missing",
    what: "this machine cannot be looked at for it",
    findings: [missing(messageOf(thrown), hint)],
  };
}

async function bakeFacts(signal: AbortSignal): Promise<BakeFacts> {
  const { cluster, file, own } = await readOwnCluster(signal);
  const others = listTargets().filter(({ target }) => target.name !== own?.target.name);
  // of all families: what one of them alone needs is cheap
  const host = await lookAtHost(
    cluster,
    "apt",
    { cacheDirectory: cacheDirectory(undefined), berry: undefined },
    signal,
  );
  const blocked = await blockedPlaces(placesOf(cluster, host, file.state));
  return { host, cluster, file, targets: own === null ? others : [own, ...others], blocked };
}

/** Of berry.toml as `berry probe` reads it: the nodes alone. */
async function brokenNodes(): Promise<ProbeFacts["brokenFile"]> {
  const log = { info: () => undefined, warn: () => undefined };
  try {
    await clusterNodes(undefined, true, log);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof BerryError)) throw thrown;
    return { message: thrown.message, hint: thrown.hint ?? null };
  }
}

interface OwnCluster extends Pick<BakeFacts, "cluster" | "file"> {
  /** The target of berry.toml. */
  readonly own: LoadedTarget | null;
}

async function readOwnCluster(signal: AbortSignal): Promise<OwnCluster> {
  const example: Cluster = exampleCluster(resolve("."));
  if (lstatSync(clusterFile, { throwIfNoEntry: false }) === undefined)
    return { cluster: example, file: { state: "none" }, own: null };
  const warnings: { message: string; hint: string | null }[] = [];
  const log = {
    info: () => undefined,
    warn: (message: string, hint?: string) => void warnings.push({ message, hint: hint ?? null }),
  };
  try {
    const cluster = await readCluster(clusterFile, log, signal);
    const own = await loadTarget(cluster.target);
    return { cluster, file: { state: "read", warnings }, own };
  } catch (thrown) {
    if (!(thrown instanceof BerryError)) throw thrown;
    const { message, hint = null } = thrown;
    return { cluster: example, file: { state: "broken", message, hint }, own: null };
  }
}

async function lookAtCards(signal: AbortSignal): Promise<Report> {
  const found = await collectDisks(systemRoots, await collectKeepPaths([]), signal);
  const disks = found.map((disk) => ({ disk, verdict: judgeDisk(disk, { minimumBytes: null }) }));
  const writable = disks.filter(({ verdict }) => verdict.verdict === "writable");
  return judgeWrite({ disks, denied: await deniedDevices(writable.map(({ disk }) => disk.path)) });
}

async function unitFacts(unit: string, signal: AbortSignal): Promise<UnitFacts> {
  const text = await systemctl(["show", unit, "--property=LoadState,UnitFileState,ActiveState"], signal);
  if (text === null) return null;
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
  return { load: value("LoadState"), file: value("UnitFileState"), active: value("ActiveState") };
}
