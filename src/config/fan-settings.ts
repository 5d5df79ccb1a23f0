import type { ConnectedFan, FanSettings } from "./cluster.ts";
import { isTable } from "./parse-table.ts";
import type { Diagnosis, Flaw } from "./problem.ts";
import type { FanTable } from "./split-tables.ts";

/** Takes what is wrong with a key of a node's own table, beside what is said for the cluster. */
export type FanReport = (key: string, flaw: Flaw, value: unknown) => void;

/** What knows the keys of /etc/berry/fand.toml: src/commands lends the daemon's own to this folder, which has none. */
export interface FanJudge {
  /** What fand.toml is to say: a node's keys over the cluster's, less what they make void, with defaults. */
  merge(shared: FanTable, own: FanTable, report: FanReport): FanTable;
  /**
   * The fans of a fand.toml of this content, beside `configTxt`, the user's own lines for the firmware.
   * Problems go to the diagnosis, with keys as in a fand.toml.
   */
  judge(content: FanTable, configTxt: readonly string[], diagnosis: Diagnosis): readonly ConnectedFan[];
}

/** The fan of a node. What is wrong goes to the diagnosis; the value counts only when nothing was. */
export function fanSettings(
  shared: FanTable,
  own: { readonly table: FanTable; readonly path: string } | undefined,
  configTxt: readonly string[],
  judge: FanJudge,
  diagnosis: Diagnosis,
): FanSettings {
  const told = (flaw: Flaw): Flaw => ({
    ...flaw,
    problem: inCluster(flaw.problem),
    remedy: inCluster(flaw.remedy),
  });
  const content = judge.merge(shared, own?.table ?? {}, (key, flaw, value) =>
    diagnosis.add(`${own?.path ?? "fan"}.${key}`, told(flaw), value),
  );
  const place = (key: string): string => {
    const [name = ""] = /^[^.[]*/.exec(key) ?? [];
    const [, inner] = /^limits\.(\w+)/.exec(key) ?? [];
    const has = (table: FanTable | undefined): boolean => {
      if (table === undefined || !Object.hasOwn(table, name)) return false;
      // limits are merged key by key
      const limits = table[name];
      return inner === undefined || !isTable(limits) || Object.hasOwn(limits, inner);
    };
    const path = own !== undefined && (has(own.table) || !has(shared)) ? own.path : "fan";
    return key === "" ? path : `${path}.${key}`;
  };
  const fans = judge.judge(content, configTxt, {
    ...diagnosis,
    add: (key, flaw, value) => diagnosis.add(place(key), told(flaw), value),
    warn: (key, message, hint) => diagnosis.warn(place(key), inCluster(message), inCluster(hint)),
  });
  return { content, fans };
}

/** How a table of fand.toml is written in berry.toml: one floor down. */
function inCluster(text: string): string {
  return text.replaceAll(/\[(\[?)(fan|sensor|limits)\]/g, "[$1fan.$2]");
}
