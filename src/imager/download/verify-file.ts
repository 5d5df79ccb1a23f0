import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { BerryError } from "../../core/errors.ts";
import { verifySignature, type Signer, type VerifiedSignature } from "./signature.ts";

const chunkBytes = 1024 * 1024;

/** Verifies a detached signature over the file at `path`; `name` is what messages call it. */
export async function verifySignedFile(
  path: string,
  name: string,
  signature: Uint8Array,
  signer: Signer,
  now: Date,
  signal: AbortSignal,
): Promise<VerifiedSignature> {
  const source = createReadStream(path, { highWaterMark: chunkBytes });
  const content = Readable.toWeb(source) as ReadableStream<Uint8Array>;
  return verifySignature({ name, content }, signature, signer, now, signal);
}

/**
 * @param hex SHA-256 of the whole file, 64 hexadecimal digits
 * @throws BerryError `bad-data` when the file is another one
 */
export async function verifySha256(
  path: string,
  name: string,
  hex: string,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  const found = hash.digest("hex");
  if (found === hex.toLowerCase()) return;
  throw new BerryError(
    "bad-data",
    `${name} has another SHA-256: expected ${hex.toLowerCase()}, got ${found}`,
    {
      hint: "it is damaged, incomplete or was changed: fetch it again, and if that does not help, from another mirror",
    },
  );
}
