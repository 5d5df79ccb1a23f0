import { BerryError } from "../../core/errors.ts";
import type { DiscoveryRequest } from "../../probe/discovery-port.ts";
import type { Filter } from "../../probe/filter/parse-filter.ts";

export type Format =
  | "table"
  | "wide"
  | "json"
  | "ndjson"
  | "prom-sd"
  | "hosts"
  | "ssh-config"
  | "ansible"
  | "names";

/** What was typed, as `find` declares it. */
export interface FindArguments {
  readonly output: Format | undefined;
  readonly filter: string | undefined;
  readonly expect: string | undefined;
  readonly timeout: string | undefined;
  readonly watch: boolean;
  readonly iface: string | undefined;
  readonly via: "mdns" | "avahi";
  readonly host: string | undefined;
  readonly write: string | undefined;
}

export interface FindOptions {
  readonly format: Format;
  /** null: everybody. */
  readonly filter: Filter | null;
  /** How many have to live; null: as many as there are. */
  readonly expect: number | null;
  readonly isWatching: boolean;
  /** null: the result goes to stdout. */
  readonly file: string | null;
  readonly request: DiscoveryRequest;
}

const lookSeconds = 1;
const expectSeconds = 60;

/**
 * What was asked for, judged as a whole before anybody is looked for.
 * @throws BerryError `usage`
 */
export async function findOptions(args: FindArguments, json: boolean): Promise<FindOptions> {
  const format = formatOf(args, json);
  const expect = args.expect === undefined ? null : readCount(args.expect);
  if (expect !== null && args.watch)
    throw new BerryError("usage", "--expect ends, and --watch does not", { hint: "leave one of them out" });
  if (args.timeout !== undefined && args.watch)
    throw new BerryError("usage", "--watch has no --timeout", {
      hint: "Ctrl-C ends it; or leave --watch out",
    });
  const seconds =
    args.timeout === undefined ? (expect === null ? lookSeconds : expectSeconds) : readSeconds(args.timeout);
  return {
    format,
    filter: args.filter === undefined ? null : await loadFilter(args.filter),
    expect,
    isWatching: args.watch,
    file: args.write ?? null,
    request: {
      via: args.via,
      interfaces: readList("--iface", args.iface),
      hosts: readList("--host", args.host),
      timeoutMilliseconds: seconds * 1000,
    },
  };
}

function formatOf({ output, watch, write }: FindArguments, json: boolean): Format {
  if (json && output !== undefined && output !== "json" && output !== "ndjson")
    throw new BerryError("usage", `--json is -o json, not -o ${output}`, { hint: "leave one of them out" });
  const format = output ?? (json ? "json" : "table");
  if (!watch || write !== undefined || ["table", "wide", "json", "ndjson"].includes(format)) return format;
  throw new BerryError("usage", `--watch has no end, and -o ${format} is a whole`, {
    hint: `add --write FILE, which is kept up to date`,
  });
}

/** Most commands have no filter: it is not loaded for them. */
async function loadFilter(expression: string): Promise<Filter> {
  return (await import("../../probe/filter/parse-filter.ts")).parseFilter(expression);
}

function readCount(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new BerryError("usage", `--expect is how many nodes have to live, got '${text}'`, {
    hint: "--expect 4 waits for four",
  });
}

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, "": 1, s: 1, m: 60, min: 60, h: 3600 };
const mostSeconds = 24 * 3600;

function readSeconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|$)/gy)];
  const isWhole = parts.map(([part]) => part).join("") === text;
  const isClear = parts.length === 1 || parts.every(([, , unit]) => unit !== "");
  const seconds = parts.reduce(
    (sum, [, number, unit = ""]) => sum + Number(number) * (unitSeconds[unit] ?? 0),
    0,
  );
  if (isWhole && isClear && seconds > 0 && seconds <= mostSeconds) return seconds;
  throw new BerryError("usage", `--timeout is a time of at most a day, got '${text}'`, {
    hint: "--timeout 30 is half a minute, as is --timeout 30s; 5min, 1min30s and 500ms are understood, too",
  });
}

function readList(flag: string, text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const words = text.split(",").map((word) => word.trim());
  const named = new Set(words.filter((word) => word !== ""));
  if (named.size > 0) return [...named];
  throw new BerryError("usage", `${flag} names nothing, got '${text}'`, {
    hint: flag === "--host" ? "--host pi1,192.168.1.11" : "--iface eth0,wlan0",
  });
}
