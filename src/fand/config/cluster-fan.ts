import type { ConnectedFan } from "../../config/cluster.ts";
import type { FanReport } from "../../config/fan-settings.ts";
import { isTable } from "../../config/parse-table.ts";
import type { Diagnosis } from "../../config/problem.ts";
import { curveKeys, onOffKeys } from "./compose-fan.ts";
import { composeFand } from "./compose-fand.ts";
import { topShape } from "./fand-tables.ts";

/** [fan] of berry.toml, whose content is that of a fand.toml. */

type Content = Readonly<Record<string, unknown>>;

/** The pin of most fans that are sold for the header. */
const usualPin = 18;

/**
 * A node's keys over the cluster's, those of limits one by one. What would contradict them goes: the curve of a fan
 * that is switched on this node, the pin of one that the kernel's driver has here. A fan of which nothing is said is
 * one with PWM on the usual pin.
 * @param report takes what is wrong with the node's keys beside those of the cluster, which are left out then
 */
export function mergeFan(shared: Content, own: Content, report: FanReport): Content {
  const isKept = keptBeside(own);
  const kept = Object.entries(shared).filter(([key]) => isKept(key));
  const content = withoutContradictions(Object.fromEntries(kept), own, report);
  if (Object.hasOwn(content, "fan")) return content;
  const { backend } = content as { readonly backend?: unknown };
  const isOnHeader = backend !== "none" && backend !== "hwmon" && !Object.hasOwn(content, "chip");
  return {
    ...(isOnHeader ? { pin: usualPin } : {}),
    ...(isOnHeader && backend !== "gpio" ? { mode: "pwm" } : {}),
    ...content,
  };
}

function withoutContradictions(kept: Content, own: Content, report: FanReport): Content {
  const [limits, ownLimits] = [kept["limits"], own["limits"]];
  const merged = {
    ...kept,
    ...own,
    ...(isTable(limits) && isTable(ownLimits) ? { limits: { ...limits, ...ownLimits } } : {}),
  };
  const gone = new Set<string>();
  if (Object.hasOwn(kept, "fan") && !Object.hasOwn(own, "fan"))
    for (const key of Object.keys(own).filter((one) => !general.has(one))) {
      gone.add(key);
      report(
        key,
        {
          problem: "a key of one fan, and [[fan]] of the cluster lists several",
          remedy: "list the fans of this node: [[node.fan.fan]], each with all of its keys",
        },
        own[key],
      );
    }
  const { on, off } = merged as { readonly on?: unknown; readonly off?: unknown };
  if (typeof on === "number" && typeof off === "number" && off >= on)
    for (const [key, other, relation, value] of [
      ["on", "off", "above", off],
      ["off", "on", "below", on],
    ] as const) {
      if (!Object.hasOwn(own, key) || Object.hasOwn(own, other)) continue;
      gone.add(other);
      report(
        key,
        {
          problem: `not ${relation} fan.${other} = ${value}`,
          remedy: `set ${other} for this node, too, and leave a gap`,
        },
        own[key],
      );
    }
  return Object.fromEntries(Object.entries(merged).filter(([key]) => !gone.has(key)));
}

/** Keys that are of no fan. */
const general: ReadonlySet<string> = new Set([...Object.keys(topShape), "sensor", "limits"]);

function keptBeside(own: Content): (key: string) => boolean {
  if (Object.hasOwn(own, "fan")) return (key) => general.has(key);

  const { mode, backend } = own;
  const gone = new Set<string>([
    // no fan at all
    ...(backend === "none" ? ["fan"] : []),
    ...(mode === "on-off" || backend === "gpio" ? curveKeys : []),
    ...(mode === "pwm" ? onOffKeys : []),
    ...(backend === "gpio" ? ["mode"] : []),
    ...(backend === "hwmon" ? ["pin"] : []),
    ...(backend !== undefined && backend !== "hwmon" && backend !== "auto" ? ["chip", "channel"] : []),
  ]);
  return (key) => !gone.has(key);
}

/** The fans of a fand.toml, as the daemon itself reads it. Problems go to the diagnosis. */
export function connectedFans(content: Content, diagnosis: Diagnosis): readonly ConnectedFan[] {
  const { fans } = composeFand(content, null, diagnosis);
  const isList = Array.isArray(content["fan"]);
  return fans.map(({ name, backend, pin, mode, chip, isInverted }) => ({
    path: isList ? `fan[${name}]` : "",
    backend,
    pin,
    mode,
    chip,
    isInverted,
  }));
}
