import * as openpgp from "openpgp";
import { BerryError, messageOf } from "../../core/errors.ts";

/** Who must have signed. */
export interface Signer {
  /** Of the primary key: 40 hexadecimal digits. */
  readonly fingerprint: string;
  /** Armoured public key block. It may hold further keys: only the one of `fingerprint` counts. */
  readonly publicKey: string;
}

export interface SignedContent {
  /** What messages call it: a path or a URL. */
  readonly name: string;
  /** From the first byte to the last; read once, never held in memory whole. */
  readonly content: ReadableStream<Uint8Array>;
}

export interface VerifiedSignature {
  readonly signedAt: Date;
  /** 16 hexadecimal digits, upper case: the primary key or the signing subkey that made the signature. */
  readonly keyId: string;
}

const weakHashes: ReadonlySet<openpgp.enums.hash> = new Set([
  openpgp.enums.hash.md5,
  openpgp.enums.hash.ripemd,
  openpgp.enums.hash.sha1,
]);

/**
 * SHA-1 is refused for the content, but not for the key's own self-signatures:
 * the fingerprint pins the key, and keys of that age are still in use.
 */
const policy: openpgp.PartialConfig = {
  rejectMessageHashAlgorithms: new Set(weakHashes),
  rejectHashAlgorithms: new Set([openpgp.enums.hash.md5, openpgp.enums.hash.ripemd]),
};

const tamperedHint = "do not use the file: fetch it again, and if that does not help, from another mirror";

/**
 * Verifies a detached OpenPGP signature (RFC 9580, section 10.4) over `file`.
 *
 * It holds when a signature of type binary (0x00) with a strong hash was made by the signer's primary key,
 * or by a signing subkey that the primary key binds, while that key was neither expired nor revoked.
 * Of several signatures one is enough.
 *
 * @param signature binary or armoured
 * @param now the signature must not be younger
 * @throws BerryError `bad-data` when any of that is not so; `config` when the key is not what `signer` says
 */
export async function verifySignature(
  file: SignedContent,
  signature: Uint8Array,
  signer: Signer,
  now: Date,
  signal: AbortSignal,
): Promise<VerifiedSignature> {
  let unread = true;
  try {
    const key = await readSigner(signer);
    const { candidates, packets } = pick(await parseSignature(file.name, signature), key, file.name);
    unread = false;
    const message = await openpgp.createMessage({ binary: file.content });
    const { data, signatures } = await openpgp.verify({
      message,
      signature: new openpgp.Signature(candidates),
      verificationKeys: key,
      format: "binary",
      date: now,
      config: policy,
    });
    const byteCount = await drain(data, signal);
    if (byteCount === 0) throw new BerryError("bad-data", `${file.name} is empty`, { hint: tamperedHint });
    return await firstValid(signatures, packets, file.name, signer);
  } finally {
    if (unread) await file.content.cancel();
  }
}

/**
 * Says whether a signature can convince at all, without the file: the key is the pinned one,
 * the signature is by it, of the right type and over a strong hash. It may still be a bad one.
 *
 * @param name of the file that was signed, for messages
 * @throws BerryError as `verifySignature`
 */
export async function inspectSignature(name: string, signature: Uint8Array, signer: Signer): Promise<void> {
  pick(await parseSignature(name, signature), await readSigner(signer), name);
}

async function readSigner({ fingerprint, publicKey }: Signer): Promise<openpgp.Key> {
  let keys: openpgp.Key[];
  try {
    keys = await openpgp.readKeys({ armoredKeys: publicKey, config: policy });
  } catch (cause) {
    throw new BerryError("config", `the public key of ${fingerprint} cannot be read`, {
      hint: `export it anew: gpg --armor --export --export-options export-minimal ${fingerprint}`,
      cause,
    });
  }
  const wanted = fingerprint.toLowerCase();
  const key = keys.find((candidate) => candidate.getFingerprint() === wanted);
  if (key !== undefined) return key;
  const found = keys.map((candidate) => candidate.getFingerprint().toUpperCase()).join(", ");
  throw new BerryError("config", `wrong public key: expected ${fingerprint}, got ${found || "none"}`, {
    hint: "the fingerprint and the key file of the target must belong together",
  });
}

async function parseSignature(name: string, signature: Uint8Array): Promise<openpgp.Signature> {
  if (signature.length === 0) {
    throw new BerryError("bad-data", `no signature for ${name}: it is empty`, {
      hint: "fetch the signature again",
    });
  }
  // every OpenPGP packet starts with a byte whose highest bit is set, armour is ASCII
  const isBinary = ((signature[0] ?? 0) & 0x80) !== 0;
  try {
    const parsed = isBinary
      ? await openpgp.readSignature({ binarySignature: signature, config: policy })
      : await openpgp.readSignature({
          armoredSignature: new TextDecoder().decode(signature),
          config: policy,
        });
    if (parsed.packets.length > 0) return parsed;
  } catch (cause) {
    throw new BerryError(
      "bad-data",
      `no signature for ${name}: what was found is cut short or something else`,
      {
        hint: "fetch the signature again; a web page instead of it means that the address is wrong",
        cause,
      },
    );
  }
  throw new BerryError("bad-data", `no signature for ${name}: what was found holds none`, {
    hint: "fetch the signature again",
  });
}

interface Picked {
  readonly candidates: openpgp.PacketList<openpgp.SignaturePacket>;
  readonly packets: readonly openpgp.SignaturePacket[];
}

/** The signatures that are worth reading the whole file for. */
function pick(signature: openpgp.Signature, key: openpgp.Key, name: string): Picked {
  const byKey = signature.packets.filter((packet) => key.getKeys(packet.issuerKeyID).length > 0);
  const fingerprint = key.getFingerprint().toUpperCase();
  if (byKey.length === 0) {
    const ids = signature.packets.map((packet) => packet.issuerKeyID.toHex().toUpperCase()).join(", ");
    throw new BerryError(
      "bad-data",
      `${name} was signed by another key: expected ${fingerprint}, got key id ${ids}`,
      {
        hint: "do not use the file, unless its makers announce that they changed their key",
      },
    );
  }
  const strong = byKey.filter(
    (packet) => packet.hashAlgorithm !== null && !weakHashes.has(packet.hashAlgorithm),
  );
  if (strong.length === 0) {
    const hashes = byKey.map((packet) =>
      packet.hashAlgorithm === null ? "none" : hashName(packet.hashAlgorithm),
    );
    throw new BerryError(
      "bad-data",
      `the signature of ${name} rests on a broken hash: ${hashes.join(", ")}`,
      {
        hint: "do not use the file: a signature over MD5, RIPEMD-160 or SHA-1 can be forged",
      },
    );
  }
  const packets = strong.filter((packet) => packet.signatureType === openpgp.enums.signature.binary);
  if (packets.length === 0) {
    throw new BerryError("bad-data", `the signature of ${name} is not one over a file (type 0x00)`, {
      hint: "a detached binary signature is needed, as gpg --detach-sign makes it",
    });
  }
  const candidates = new openpgp.PacketList<openpgp.SignaturePacket>();
  candidates.push(...packets);
  return { candidates, packets };
}

function hashName(hash: openpgp.enums.hash): string {
  return openpgp.enums.read(openpgp.enums.hash, hash).toUpperCase();
}

/** Reads to the end, as the hash is computed from what flows by; returns the count of bytes. */
async function drain(content: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<number> {
  const reader = content.getReader();
  let byteCount = 0;
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) return byteCount;
      byteCount += value.length;
    }
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }
}

async function firstValid(
  results: readonly { readonly keyID: openpgp.KeyID; readonly verified: Promise<true> }[],
  packets: readonly openpgp.SignaturePacket[],
  name: string,
  signer: Signer,
): Promise<VerifiedSignature> {
  let failure: unknown;
  for (const [index, result] of results.entries()) {
    try {
      await result.verified;
    } catch (error) {
      failure ??= error;
      continue;
    }
    const signedAt = packets[index]?.created;
    if (signedAt) return { signedAt, keyId: result.keyID.toHex().toUpperCase() };
  }
  throw describe(failure, name, signer);
}

function describe(failure: unknown, name: string, { fingerprint }: Signer): BerryError {
  const reason = messageOf(failure);
  if (/digest did not match|Signature verification failed/.test(reason)) {
    return new BerryError("bad-data", `bad signature: ${name} is not what ${fingerprint} signed`, {
      hint: `it is damaged, incomplete or was changed; ${tamperedHint}`,
    });
  }
  if (reason.startsWith("Signature creation time is in the future")) {
    return new BerryError("bad-data", `the signature of ${name} was made in the future`, {
      hint: "set this computer's clock",
    });
  }
  return new BerryError("bad-data", `the signature of ${name} by ${fingerprint} does not count`, {
    hint: "the key was expired or revoked, or may not sign; do not use the file before its makers explain that",
    cause: failure,
  });
}
