import { open } from "node:fs/promises";
import { join } from "node:path";
import { BerryError, codeOf } from "../../core/errors.ts";
import { type Health, judgeStatus } from "../../fand/daemon/judge-status.ts";
import { type FandStatus, parseMetrics } from "../../fand/daemon/parse-metrics.ts";

/** What the daemon last said, and how much that is worth now. */
export interface SeenStatus {
  readonly path: string;
  /** null: it has said nothing since the machine was started. */
  readonly told: { readonly status: FandStatus; readonly health: Health } | null;
}

const mostBytes = 256 * 1024;

/** @throws BerryError `bad-data`; what the file system says */
export async function readStatus(runFolder: string, wallSeconds: number): Promise<SeenStatus> {
  const path = join(runFolder, "berry.prom");
  const text = await textOf(path);
  if (text === null) return { path, told: null };
  const status = parseMetrics(text);
  if (status === null)
    throw new BerryError("bad-data", `${path}: not the metrics of berry fand`, {
      hint: "systemctl restart berry-fand writes them anew",
    });
  return { path, told: { status, health: judgeStatus(status, wallSeconds) } };
}

async function textOf(path: string): Promise<string | null> {
  try {
    await using file = await open(path, "r");
    const bytes = Buffer.alloc(mostBytes);
    const { bytesRead } = await file.read(bytes, 0, mostBytes, 0);
    return bytes.toString("utf8", 0, bytesRead);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return null;
    throw thrown;
  }
}

export function noDaemon(path: string): BerryError {
  return new BerryError("unavailable", `no daemon: there is no ${path}`, {
    hint: "systemctl start berry-fand; berry fand check says what it would drive",
  });
}

export function deadDaemon({ ageSeconds, ailments }: Health): BerryError {
  const since = ageSeconds === null ? "" : `: its last whole round was ${Math.round(ageSeconds)} s ago`;
  const why = ailments.length === 0 ? "" : `: ${ailments.join(", ")}`;
  return new BerryError("unavailable", `the daemon is not at work${since}${why}`, {
    hint: "systemctl status berry-fand says what became of it",
  });
}
