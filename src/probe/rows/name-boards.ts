import { baseOf, hostKey } from "./group-sightings.ts";
import type { Finding } from "./settle-answers.ts";

/** What to call a board. */
export interface Naming {
  /** What it calls itself: `pi1`, though avahi calls it `pi1-2`. */
  readonly called: string;
  /** What it is shown as. */
  readonly shown: string;
  /** Whether it may be the node that berry.toml calls so, and is not the second one of its name. */
  readonly isItself: boolean;
  /** Other boards that call themselves so. */
  readonly namesakes: readonly Finding[];
}

/** Names all boards, in their order. */
export function nameBoards(findings: readonly Finding[]): readonly Naming[] {
  const hosts = new Set(
    findings.flatMap(({ board }) => board.heard.map(({ sighting }) => hostKey(sighting.host))),
  );
  const called = new Map(findings.map((finding) => [finding, calledOf(finding, hosts)]));
  const byName = Map.groupBy(findings, (finding) => called.get(finding) ?? "");
  return findings.map((finding) => {
    const name = called.get(finding) ?? "";
    const namesakes = (byName.get(name) ?? []).filter((other) => other !== finding);
    const own = finding.announced === null ? name : hostKey(finding.announced.host);
    const isItself = namesakes.length === 0 || own === name || !hosts.has(name);
    return { called: name, shown: isItself ? name : own, isItself, namesakes };
  });
}

function calledOf({ board, nodeName, announced }: Finding, hosts: ReadonlySet<string>): string {
  // the user may have named an address: the page knows better
  if (announced === null) return nodeName ?? hostKey(board.heard[0]?.sighting.host ?? "");
  const [host, base] = [hostKey(announced.host), baseOf(announced.host)];
  if (host === base) return host;
  const isSecond = nodeName === null ? hosts.has(base) : nodeName === base;
  return isSecond ? base : host;
}
