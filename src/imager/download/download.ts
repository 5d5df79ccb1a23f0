import { dirname } from "node:path";
import { BerryError } from "../../core/errors.ts";
import { check, obtainProof, type Proof } from "./obtain-proof.ts";
import type { Downloaded, DownloadOptions, DownloadRequest } from "./request.ts";
import { fetchPart } from "./fetch-part.ts";
import {
  fileBytes,
  makeFolder,
  partPaths,
  publishBytes,
  publishPart,
  removeFile,
  removePart,
  type PartPaths,
} from "./part-file.ts";

/** How patient a download is, unless told otherwise. */
export const usualPatience = { stallMilliseconds: 30_000, attempts: 6 } as const;

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
    const fresh = await obtainProof(request, options, signal).catch(nullIfRefused);
    if (fresh?.offline === null && !sameBytes(fresh.signed?.signature, used.signed?.signature)) {
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

/** What is wrong with the file is the better message. */
function nullIfRefused(error: unknown): null {
  if (error instanceof BerryError) return null;
  throw error;
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
