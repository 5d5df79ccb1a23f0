import { formatBytes } from "../../core/units.ts";
import { isResumable, judge, resumeHeaders, type PartRecord, type ResponseHead } from "./decisions.ts";
import type { DownloadOptions, DownloadRequest } from "./request.ts";
import { attempt, persist, tooLarge, type Outcome, type Sink } from "./http-attempt.ts";
import { fileBytes, openPart, readRecord, removePart, type PartPaths } from "./part-file.ts";

/** Brings the part to its full length. `resumed`: it came in more than one piece. */
export async function fetchPart(
  request: DownloadRequest,
  paths: PartPaths,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<{ resumed: boolean }> {
  const { url } = request;
  let resumed = false;

  const once = async (): Promise<Outcome> => {
    const partBytes = (await fileBytes(paths.part)) ?? 0;
    const found = await readRecord(paths);
    const record = isResumable(found, url, partBytes) ? found : null;
    if (record !== null) {
      resumed = true;
      if (record.totalBytes === partBytes) return { kind: "ended" };
    }
    const known = record === null ? null : { record, partBytes };
    const accept = async (head: ResponseHead): Promise<Sink | Outcome> => {
      const verdict = judge(url, head, known, options.clock.now());
      switch (verdict.kind) {
        case "append":
          return sinkInto(request, paths, verdict.record, verdict.offset, options);
        case "restart":
          resumed = false;
          return sinkInto(request, paths, verdict.record, 0, options);
        case "complete":
          return { kind: "ended" };
        case "discard":
          await removePart(paths);
          return { kind: "retry", reason: verdict.reason, waitMilliseconds: 0 };
        case "retry":
          return verdict;
        case "fail":
          throw verdict.error;
      }
    };
    const outcome = await attempt(url, resumeHeaders(record, partBytes), accept, options, signal);
    return outcome.kind === "ended" ? completeness(paths) : outcome;
  };

  await persist(url, once, async () => (await fileBytes(paths.part)) ?? 0, options, signal);
  return { resumed };
}

/** A connection that ends early looks like the end of the file: only the length tells. */
async function completeness(paths: PartPaths): Promise<Outcome> {
  const total = (await readRecord(paths))?.totalBytes ?? null;
  const partBytes = (await fileBytes(paths.part)) ?? 0;
  if (total === null || partBytes === total) return { kind: "ended" };
  const reason = `the connection ended after ${formatBytes(partBytes)} of ${formatBytes(total)}`;
  return { kind: "retry", reason, waitMilliseconds: null };
}

async function sinkInto(
  { url, maxBytes }: DownloadRequest,
  paths: PartPaths,
  record: PartRecord,
  offset: number,
  { onProgress }: DownloadOptions,
): Promise<Sink> {
  if (maxBytes !== null && (record.totalBytes ?? 0) > maxBytes) {
    await removePart(paths);
    throw tooLarge(url, maxBytes);
  }
  const writer = await openPart(paths, record, offset);
  let doneBytes = offset;
  onProgress(doneBytes, record.totalBytes);
  return {
    async write(chunk) {
      if (maxBytes !== null && doneBytes + chunk.length > maxBytes) {
        await removePart(paths);
        throw tooLarge(url, maxBytes);
      }
      await writer.write(chunk);
      doneBytes += chunk.length;
      onProgress(doneBytes, record.totalBytes);
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}
