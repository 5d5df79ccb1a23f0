import type { Shape, Table, Values } from "./parse-table.ts";

/** A table as one node sees it: the node's own keys over the cluster's. */
export interface Merged<S extends Shape> {
  readonly values: Values<S>;
  /** Where a key stands in the file, or would stand: `wifi.ssid` or `node[pi2].wifi.ssid`. */
  keyOf(key: (keyof S & string) | null): string;
  /** Whether the key is there, but wrong. */
  failed(key: keyof S): boolean;
  /** Whether the node itself says so. */
  isOwn(key: keyof S): boolean;
}

interface Placed<S extends Shape> {
  readonly table: Table<S>;
  readonly path: string;
}

/**
 * Lays a node's table over the cluster's: keys replace keys, lists replace lists.
 * `instead` names, for a key of the node's, the cluster's keys that it makes void.
 */
export function mergeTable<S extends Shape>(
  shared: Placed<S>,
  own: Placed<S> | undefined,
  instead: (own: Values<S>) => readonly (keyof S)[] = () => [],
): Merged<S> {
  const has = (table: Table<S> | undefined, key: keyof S) =>
    table !== undefined && (table.values[key] !== undefined || table.failed(key));
  const isOwn = (key: keyof S) => has(own?.table, key);
  const overruled = own === undefined ? [] : instead(own.table.values);
  const inherited = Object.fromEntries(
    Object.entries(shared.table.values).filter(([key]) => !isOwn(key) && !overruled.includes(key)),
  ) as Values<S>;
  return {
    values: { ...inherited, ...own?.table.values },
    isOwn,
    failed: (key) =>
      isOwn(key) ? own?.table.failed(key) === true : !overruled.includes(key) && shared.table.failed(key),
    keyOf(key) {
      const place =
        own !== undefined && (key === null || isOwn(key) || !has(shared.table, key)) ? own.path : shared.path;
      return key === null ? place : `${place}.${key}`;
    },
  };
}
