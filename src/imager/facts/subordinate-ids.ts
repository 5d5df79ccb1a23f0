import type { HostFacts } from "./host-facts.ts";

interface Range {
  /** By name or by number. */
  readonly user: string;
  readonly first: number;
  readonly count: number;
}

/** Below it are the system's own users. */
const lowest = 100_000;

/** What the texts of /etc/subuid and /etc/subgid have for a user, and where nobody has anything. Pure. */
export function subordinateIds(
  users: string,
  groups: string,
  user: { readonly name: string; readonly uid: number },
): HostFacts["subordinateIds"] {
  const ranges = { users: rangesOf(users), groups: rangesOf(groups) };
  const largest = (all: readonly Range[]) =>
    Math.max(
      0,
      ...all.flatMap((range) =>
        range.user === user.name || range.user === String(user.uid) ? [range.count] : [],
      ),
    );
  return {
    users: largest(ranges.users),
    groups: largest(ranges.groups),
    firstFree: Math.max(
      lowest,
      ...[...ranges.users, ...ranges.groups].map(({ first, count }) => first + count),
    ),
  };
}

/** subuid(5): USER:FIRST:COUNT; other lines count for nothing, as with newuidmap(1). */
function rangesOf(text: string): readonly Range[] {
  return text.split("\n").flatMap((line) => {
    const [, user, first, count] = /^\s*([^:]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    const range = { user: user ?? "", first: Number(first), count: Number(count) };
    return Number.isSafeInteger(range.first) && Number.isSafeInteger(range.count) ? [range] : [];
  });
}
