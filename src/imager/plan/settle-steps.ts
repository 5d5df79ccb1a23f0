import type { HostFacts } from "../facts/host-facts.ts";
import type { Step } from "../step.ts";

/** Copies that tools keep of what they changed, logs and caches: they tell of the bake alone, and differ each time. */
const tellingOfTheBake = [
  ...["passwd", "group", "shadow", "gshadow", "subuid", "subgid"].map((name) => `/etc/${name}-`),
  "/etc/.pwd.lock",
  "/var/cache/ldconfig/aux-cache",
  "/var/cache/debconf/*-old",
  "/var/lib/dpkg/*-old",
  "/var/log/*.log",
  "/var/log/apt/*",
];

/**
 * With SOURCE_DATE_EPOCH: nothing of a tree is younger than that, and nothing tells of the day of the bake.
 * Every layer ends so, so that the next one has nothing to change in it.
 */
export function settleSteps(
  { sourceDateEpoch }: Pick<HostFacts, "sourceDateEpoch">,
  root: string,
  upper: string | null = null,
): Step[] {
  if (sourceDateEpoch === null) return [];
  return [
    { title: "forget what tells of the bake", do: "remove", root, paths: tellingOfTheBake },
    { title: "settle dates", do: "settle", root, upper, epochSeconds: sourceDateEpoch },
  ];
}
