import { readFile } from "node:fs/promises";
import { BerryError } from "../../core/errors.ts";
import type { DownloadOptions, DownloadRequest } from "./request.ts";
import { fetchBytes } from "./http-attempt.ts";
import { fileBytes } from "./part-file.ts";
import { inspectSignature, type Signer } from "./signature.ts";
import { verifySha256, verifySignedFile } from "./verify-file.ts";

const maxProofBytes = 1024 * 1024;
/** There is something to fall back to, so nobody should wait long. */
const attemptsIfKept = 2;

/** What a file is verified with: here before the file itself is. */
export interface Proof {
  /** null: verified by hash. */
  readonly signed: { readonly signature: Uint8Array; readonly signer: Signer } | null;
  /** Why some of it is what was kept from an earlier time; null: all of it is fresh. */
  readonly offline: BerryError | null;
}

/** A signature that could not convince anyway is refused here, before it costs a cached file or a long download. */
export async function obtainProof(
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

export type Checked =
  | { readonly kind: "right"; readonly signedAt: Date | null }
  | { readonly kind: "wrong"; readonly error: BerryError };

export async function check(
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
