import { isConfirmed } from "./group-sightings.ts";
import { baseOf, hostKey } from "./keys.ts";
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

/**
 * Names all boards, in their order. Whoever is announced under a name that the page of another board confirms is shown
 * with where it comes from, so that the name stays with that one.
 * @param known names of berry.toml, as `hostKey` has them
 */
export function nameBoards(findings: readonly Finding[], known: ReadonlySet<string>): readonly Naming[] {
  const hosts = new Set(
    findings.flatMap(({ board }) => board.heard.map(({ sighting }) => hostKey(sighting.host))),
  );
  const confirmed = new Set(
    findings.flatMap((finding) => {
      const isTrue = finding.announced !== null && finding.nodeName !== null && isConfirmed(finding.first);
      return isTrue ? [calledOf(finding, hosts)] : [];
    }),
  );
  const nameOf = (finding: Finding): string => {
    const name = calledOf(finding, hosts);
    const { nodeName, first } = finding;
    const isBelied = nodeName !== null && !isConfirmed(first) && !known.has(name);
    // a stranger's word for a node that answers by its own name
    return isBelied && known.has(nodeName) && !confirmed.has(nodeName) ? nodeName : name;
  };
  const called = new Map(findings.map((finding) => [finding, nameOf(finding)]));
  const byName = Map.groupBy(findings, (finding) => called.get(finding) ?? "");
  return findings.map((finding) => {
    const name = called.get(finding) ?? "";
    const namesakes = (byName.get(name) ?? []).filter((other) => other !== finding);
    const own = finding.announced === null ? name : hostKey(finding.announced.host);
    const isRival =
      finding.announced !== null &&
      !isConfirmed(finding.first) &&
      namesakes.some((other) => other.announced !== null && isConfirmed(other.first));
    if (isRival) return { called: name, shown: `${own} (${originOf(finding)})`, isItself: false, namesakes };
    const isItself = namesakes.length === 0 || own === name || !hosts.has(name);
    return { called: name, shown: isItself ? name : own, isItself, namesakes };
  });
}

function originOf({ first: { sighting } }: Finding): string {
  return sighting.sender ?? sighting.serial ?? sighting.addresses[0]?.address ?? "nowhere";
}

function calledOf({ board, nodeName, announced }: Finding, hosts: ReadonlySet<string>): string {
  // the user may have named an address: the page knows better
  if (announced === null) return nodeName ?? hostKey(board.heard[0]?.sighting.host ?? "");
  const [host, base] = [hostKey(announced.host), baseOf(announced.host)];
  if (host === base) return host;
  const isSecond = nodeName === null ? hosts.has(base) : nodeName === base;
  return isSecond ? base : host;
}
