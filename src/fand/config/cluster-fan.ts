import type { ConnectedFan } from "../../config/cluster.ts";
import type { Diagnosis } from "../../config/problem.ts";
import { curveKeys, onOffKeys } from "./compose-fan.ts";
import { composeFand } from "./compose-fand.ts";
import { topShape } from "./fand-tables.ts";

/** [fan] of berry.toml, whose content is that of a fand.toml. */

type Content = Readonly<Record<string, unknown>>;

/** The pin of most fans that are sold for the header. */
const usualPin = 18;

/**
 * A node's keys over the cluster's. What would contradict them goes: the curve of a fan that is switched on this node,
 * the pin of one that the kernel's driver has here. A fan of which nothing is said is one with PWM on the usual pin.
 */
export function mergeFan(shared: Content, own: Content): Content {
  const isKept = keptBeside(own);
  const kept = Object.entries(shared).filter(([key]) => isKept(key));
  const content = { ...Object.fromEntries(kept), ...own };
  if (Object.hasOwn(content, "fan")) return content;
  const { backend } = content as { readonly backend?: unknown };
  const isOnHeader = backend !== "none" && backend !== "hwmon" && !Object.hasOwn(content, "chip");
  return {
    ...(isOnHeader ? { pin: usualPin } : {}),
    ...(isOnHeader && backend !== "gpio" ? { mode: "pwm" } : {}),
    ...content,
  };
}

/** Keys that are of no fan. */
const general: ReadonlySet<string> = new Set([...Object.keys(topShape), "sensor", "limits"]);

function keptBeside(own: Content): (key: string) => boolean {
  if (Object.hasOwn(own, "fan")) return (key) => general.has(key);

  const { mode, backend } = own;
  const gone = new Set<string>([
    ...(Object.keys(own).some((key) => !general.has(key)) ? ["fan"] : []),
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
