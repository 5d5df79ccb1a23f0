import { createHash } from "node:crypto";
import type { Cluster } from "../../config/cluster.ts";
import { BerryError } from "../../core/errors.ts";
import type { HostFacts } from "../../imager/facts/host-facts.ts";
import type { Need } from "../../imager/install-command.ts";
import { planBake } from "../../imager/plan/plan.ts";
import { preflight, type Problem } from "../../imager/preflight.ts";
import type { LoadedTarget } from "../../imager/targets/targets.ts";
import { type Finding, type Level, missing, partly, ready, type Report } from "./finding.ts";
import { judgePlaces } from "./judge-places.ts";
import type { BlockedPlace } from "./places-file.ts";

export interface BakeFacts {
  readonly host: HostFacts;
  /** That of berry.toml, or one as `berry init` makes it. */
  readonly cluster: Cluster;
  readonly file:
    | { readonly state: "none" }
    | { readonly state: "read"; readonly warnings: readonly { message: string; hint: string | null }[] }
    /** Each line of `message` is a problem. */
    | { readonly state: "broken"; readonly message: string; readonly hint: string | null };
  /** Where berry.toml was read, its own is the first. */
  readonly targets: readonly LoadedTarget[];
  /** Where a bake would write, and cannot. */
  readonly blocked: readonly BlockedPlace[];
}

/** What speaks against one target. */
interface TargetVerdict {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly problems: readonly Problem[];
  /** What berry.toml has to say once there is one. */
  readonly remarks: readonly Problem[];
}

/** Whether images can be baked on this machine, of which systems, and what is missing. Pure. */
export function judgeBake(facts: BakeFacts): Report {
  const verdicts = facts.targets.map((target) => judgeTarget(target, facts));
  const isBlocked = ({ needs, problems }: TargetVerdict) => needs.length + problems.length > 0;
  const places = judgePlaces(facts.blocked);
  const systems = levelOf(verdicts.map(isBlocked), facts.file.state);
  const level = withPlaces(systems, places);
  const shared = sharedBy(verdicts);
  const lacking = missingPrograms("", shared.needs);
  return {
    role: "bake",
    level,
    what: systems === "ready" && level === "partly" ? elsewhere : sentenceOf(level, facts.file.state),
    findings: [
      ...fileFindings(facts),
      ...places,
      ...(lacking === null ? [] : [missing(lacking, null, shared.needs)]),
      ...shared.problems.map(({ what, remedy }) => missing(what, remedy)),
      ...verdicts.flatMap((verdict, index) =>
        isBlocked(verdict)
          ? ownFindings(verdict, shared, facts.file.state === "read" && index > 0)
          : [
              ready(`${verdict.name} can be baked`),
              ...verdict.remarks.map(({ what, remedy }) => partly(`${verdict.name}: ${what}`, remedy)),
            ],
      ),
    ],
  };
}

function judgeTarget(loaded: LoadedTarget, { cluster, host, file }: BakeFacts): TargetVerdict {
  const { target } = loaded;
  const found = preflight(cluster, cluster.nodes, target, host);
  const flaw = planFlaw(loaded, cluster, host);
  const isExample = file.state !== "read";
  return {
    name: `${target.description.split(",", 1)[0]} (${target.name})`,
    needs: found.flatMap(({ needs }) => needs ?? []),
    problems: [
      ...found.filter(({ needs }) => needs === undefined),
      ...(flaw === null || isExample ? [] : [flaw]),
    ],
    remarks: flaw !== null && isExample ? [flaw] : [],
  };
}

/** What the plan cannot be made for, such as a mirror that nobody names; null: it can. */
function planFlaw(target: LoadedTarget, cluster: Cluster, facts: HostFacts): Problem | null {
  try {
    planBake({
      cluster,
      target,
      facts,
      nodes: cluster.nodes,
      refresh: false,
      lock: null,
      berry: { baking: "", inImages: null },
      hash: (text) => createHash("sha256").update(text).digest("hex"),
    });
    return null;
  } catch (thrown) {
    if (!(thrown instanceof BerryError)) throw thrown;
    return { what: thrown.message, remedy: thrown.hint ?? "berry imager plan tells all that is wrong" };
  }
}

interface Shared {
  readonly needs: readonly Need[];
  readonly problems: readonly Problem[];
}

/** What speaks against every target, and is told once. */
function sharedBy(verdicts: readonly TargetVerdict[]): Shared {
  const [first, ...others] = verdicts;
  return {
    needs: (first?.needs ?? []).filter(({ program }) =>
      others.every(({ needs }) => needs.some((need) => need.program === program)),
    ),
    problems: (first?.problems ?? []).filter(({ what }) =>
      others.every(({ problems }) => problems.some((problem) => problem.what === what)),
    ),
  };
}

function ownFindings(verdict: TargetVerdict, shared: Shared, isOptional: boolean): readonly Finding[] {
  const found = isOptional ? partly : missing;
  const needs = verdict.needs.filter(({ program }) => shared.needs.every((one) => one.program !== program));
  const problems = verdict.problems.filter(({ what }) => shared.problems.every((one) => one.what !== what));
  const lacking = missingPrograms(`${verdict.name}: `, needs);
  return [
    ...(lacking === null ? [] : [found(lacking, null, needs)]),
    ...problems.map(({ what, remedy }) => found(`${verdict.name}: ${what}`, remedy)),
  ];
}

function missingPrograms(prefix: string, needs: readonly Need[]): string | null {
  if (needs.length === 0) return null;
  return `${prefix}not installed: ${[...new Set(needs.map(({ program }) => program))].join(", ")}`;
}

function fileFindings({ file, cluster }: BakeFacts): readonly Finding[] {
  switch (file.state) {
    case "none":
      return [];
    case "read":
      return [
        ready(`${cluster.file} is valid`),
        ...file.warnings.map(({ message, hint }) => partly(message, hint)),
      ];
    case "broken":
      return file.message
        .split("\n")
        .map((line) => missing(line, file.hint ?? "berry imager plan says whether it is right"));
  }
}

/** berry.toml decides on the target; without it, each counts. */
function levelOf(blocked: readonly boolean[], state: BakeFacts["file"]["state"]): Level {
  if (state === "broken" || blocked.every(Boolean)) return "missing";
  if (state === "read") return blocked[0] === true ? "missing" : "ready";
  return blocked.some(Boolean) ? "partly" : "ready";
}

const elsewhere = "images can be baked, though not in this folder";

/** What cannot be written keeps every system from being baked. */
function withPlaces(level: Level, places: readonly Finding[]): Level {
  if (places.some((place) => place.level === "missing")) return "missing";
  return places.length > 0 && level === "ready" ? "partly" : level;
}

function sentenceOf(level: Level, state: BakeFacts["file"]["state"]): string {
  switch (state) {
    case "broken":
      return "berry.toml has to be mended first";
    case "read":
      return level === "ready"
        ? "the images of berry.toml can be baked"
        : "the images of berry.toml cannot be baked yet";
    case "none":
      if (level === "missing") return "no image can be baked yet";
      return level === "ready" ? "images can be baked" : "images can be baked, though not of every system";
  }
}
