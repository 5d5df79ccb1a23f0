import { dirname } from "node:path";
import { readFile } from "node:fs/promises";
import { BerryError } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import {
  isResumable,
  judge,
  resumeHeaders,
  type PartRecord,
  type ResponseHead,
} from "./download-decisions.ts";
import {
  attempt,
  fetchBytes,
  persist,
  tooLarge,
  type Outcome,
  type Patience,
  type Sink,
} from "./http-attempt.ts";
import {
  fileBytes,
  makeFolder,
  openPart,
  partPaths,
  publishBytes,
  publishPart,
  readRecord,
  removeFile,
  removePart,
  type PartPaths,
} from "./part-file.ts";
import { inspectSignature, type Signer } from "./signature.ts";
import { verifySha256, verifySignedFile } from "./verify-file.ts";

/** How a download proves to be the right one. */
export type Verification =
  /** 64 hexadecimal digits. */
  | { readonly kind: "sha256"; readonly hex: string }
  | {
      readonly kind: "openpgp";
      /** Detached, binary or armoured: the signature itself, or the URL that has it. */
      readonly signature: Uint8Array | string;
      /** Of the primary key, 40 hexadecimal digits. */
      readonly fingerprint: string;
      /** Armoured, or the URL that has it: what arrives must have that fingerprint. */
      readonly publicKey: { readonly armoured: string } | { readonly url: string };
    };

export interface DownloadRequest {
  /** http or https; redirects are followed. */
  readonly url: string;
  /** Absolute path of the file in the cache. Names that begin with it and a dot belong to it too:
   * `.part` and `.part.json` while it grows, `.sig` and `.asc` for the next time without a network. */
  readonly path: string;
  readonly verification: Verification;
  /** null: any size. */
  readonly maxBytes: number | null;
}

export interface DownloadOptions extends Patience {
  /** `totalBytes` is null while nobody knows it. Called for every chunk. */
  readonly onProgress: (doneBytes: number, totalBytes: number | null) => void;
  /** Something that the user may want to know, as a past-tense fact. */
  readonly onNotice: (message: string) => void;
}

export interface Downloaded {
  readonly path: string;
  readonly sizeBytes: number;
  readonly source: "cache" | "network";
  /** When the signature was made; null: verified by hash. */
  readonly signedAt: Date | null;
}

/** How patient a download is, unless told otherwise. */
export const usualPatience = { stallMilliseconds: 30_000, attempts: 6 } as const;

const maxProofBytes = 1024 * 1024;
/** There is something to fall back to, so nobody should wait long. */
const attemptsIfKept = 2;

/**
 * Puts the file of `url` at `path`: verified, on the disk, readable by its owner alone.
 *
 * What lies at `path` already is verified again, and fetched anew when it fails; without a network, a file
 * and the signature that was kept with it will do. Nothing unverified ever has the final name.
 * An interrupted download leaves `path.part`, which the next one resumes. Only one at a time may work on a `path`.
 *
 * @throws BerryError `bad-data` (not what was signed or hashed; the part is removed), `no-input` and `no-permission`
 *   (404, 403: no retry), `unavailable` (the network, after retries), `cannot-create` (disk full), `io`
 */
export async function download(
  request: DownloadRequest,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Downloaded> {
  const paths = partPaths(request.path);
  await makeFolder(dirname(request.path));
  const proof = await obtainProof(request, options, signal);

  const cachedBytes = await fileBytes(paths.file);
  if (cachedBytes !== null) {
    const checked = await check(paths.file, request, proof, options, signal);
    if (checked.kind === "right") {
      return { path: paths.file, sizeBytes: cachedBytes, source: "cache", signedAt: checked.signedAt };
    }
    if (proof.offline !== null) throw proof.offline;
    options.onNotice(`discarded ${paths.file}: ${checked.error.message}`);
    await removeFile(paths.file);
  }

  const { resumed } = await fetchPart(request, paths, options, signal);
  let accepted = await acceptPart(request, paths, proof, options, signal);
  if (accepted.kind === "wrong" && resumed) {
    options.onNotice(`started ${request.url} over: what was resumed did not fit together`);
    await fetchPart(request, paths, options, signal);
    accepted = await acceptPart(request, paths, proof, options, signal);
  }
  if (accepted.kind === "wrong") throw accepted.error;
  return { path: paths.file, sizeBytes: accepted.sizeBytes, source: "network", signedAt: accepted.signedAt };
}

/** What a file is verified with: here before the file itself is. */
interface Proof {
  /** null: verified by hash. */
  readonly signed: { readonly signature: Uint8Array; readonly signer: Signer } | null;
  /** Why some of it is what was kept from an earlier time; null: all of it is fresh. */
  readonly offline: BerryError | null;
}

/** A signature that could not convince anyway is refused here, before it costs a cached file or a long download. */
async function obtainProof(
  request: DownloadRequest,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Proof> {
  const { path, url, verification } = request;
  if (verification.kind === "sha256") return { signed: null, offline: null };
  const { fingerprint, publicKey } = verification;
  const key =
    "armoured" in publicKey
      ? { content: publicKey.armoured, offline: null }
      : await fetchOrKept(publicKey.url, `${path}.asc`, path, options, signal);
  const signature =
    typeof verification.signature === "string"
      ? await fetchOrKept(verification.signature, `${path}.sig`, path, options, signal)
      : { content: verification.signature, offline: null };
  const armoured = typeof key.content === "string" ? key.content : new TextDecoder().decode(key.content);
  const signer = { fingerprint, publicKey: armoured };
  await inspectSignature(url, signature.content, signer);
  return { signed: { signature: signature.content, signer }, offline: signature.offline ?? key.offline };
}

/** What `url` has, or what was `kept` of it together with the file at `path` when the network is out of reach. */
async function fetchOrKept(
  url: string,
  kept: string,
  path: string,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<{ readonly content: Uint8Array; readonly offline: BerryError | null }> {
  const isKept = (await fileBytes(kept)) !== null && (await fileBytes(path)) !== null;
  const patience = isKept ? { ...options, attempts: Math.min(options.attempts, attemptsIfKept) } : options;
  try {
    return { content: await fetchBytes(url, maxProofBytes, patience, signal), offline: null };
  } catch (error) {
    if (!isKept || !(error instanceof BerryError) || error.kind !== "unavailable") throw error;
    options.onNotice(`used ${kept}: ${error.message}`);
    return { content: await readFile(kept), offline: error };
  }
}

type Checked =
  | { readonly kind: "right"; readonly signedAt: Date | null }
  | { readonly kind: "wrong"; readonly error: BerryError };

async function check(
  path: string,
  { url, verification }: DownloadRequest,
  { signed }: Proof,
  { clock }: DownloadOptions,
  signal: AbortSignal,
): Promise<Checked> {
  const name = path.endsWith(".part") ? url : path;
  try {
    if (verification.kind === "sha256") await verifySha256(path, name, verification.hex, signal);
    if (signed === null) return { kind: "right", signedAt: null };
    const now = new Date(clock.now());
    const { signedAt } = await verifySignedFile(path, name, signed.signature, signed.signer, now, signal);
    return { kind: "right", signedAt };
  } catch (error) {
    if (error instanceof BerryError && error.kind === "bad-data") return { kind: "wrong", error };
    throw error;
  }
}

type Accepted =
  | { readonly kind: "right"; readonly signedAt: Date | null; readonly sizeBytes: number }
  | { readonly kind: "wrong"; readonly error: BerryError };

/** Verifies the whole part and gives it its name, or removes it. */
async function acceptPart(
  request: DownloadRequest,
  paths: PartPaths,
  proof: Proof,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Accepted> {
  let used = proof;
  let checked = await check(paths.part, request, used, options, signal);
  if (checked.kind === "wrong") {
    // a file that is replaced in place may have changed between its signature and itself
    const fresh = await obtainProof(request, options, signal);
    if (fresh.offline === null && !sameBytes(fresh.signed?.signature, used.signed?.signature)) {
      used = fresh;
      checked = await check(paths.part, request, used, options, signal);
    }
  }
  if (checked.kind === "wrong") {
    await removePart(paths);
    return checked;
  }
  const sizeBytes = (await fileBytes(paths.part)) ?? 0;
  await publishPart(paths);
  if (used.signed !== null) {
    await publishBytes(`${paths.file}.sig`, used.signed.signature);
    await publishBytes(`${paths.file}.asc`, new TextEncoder().encode(used.signed.signer.publicKey));
  }
  return { kind: "right", signedAt: checked.signedAt, sizeBytes };
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

/** Brings the part to its full length. `resumed`: it came in more than one piece. */
async function fetchPart(
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
