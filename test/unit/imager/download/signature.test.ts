import { beforeAll, describe, expect, test } from "bun:test";
import * as openpgp from "openpgp";
import { BerryError } from "../../../../src/core/errors.ts";
import { verifySignature, type Signer } from "../../../../src/imager/download/signature.ts";

const never = new AbortController().signal;
const content = new TextEncoder().encode("a rootfs, more or less\n".repeat(1000));
const day = 86_400_000;
const signedAt = new Date("2026-01-10T00:00:00Z");
const now = new Date("2026-02-01T00:00:00Z");

interface Key extends Signer {
  readonly secret: openpgp.PrivateKey;
}

let signer: Key;
let stranger: Key;

beforeAll(async () => {
  signer = await makeKey({});
  stranger = await makeKey({});
});

interface KeyOptions {
  readonly keyExpirationTime?: number;
  readonly subkeys?: { sign: boolean }[];
}

async function makeKey(options: KeyOptions): Promise<Key> {
  const { privateKey } = await openpgp.generateKey({
    type: "ecc",
    curve: "ed25519Legacy",
    userIDs: [{ name: "Test", email: "test@example.org" }],
    date: new Date("2026-01-01T00:00:00Z"),
    ...options,
    format: "object",
  });
  return asKey(privateKey);
}

function asKey(secret: openpgp.PrivateKey): Key {
  return { secret, fingerprint: secret.getFingerprint().toUpperCase(), publicKey: secret.toPublic().armor() };
}

interface SignOptions {
  readonly date?: Date;
  readonly signingKeyIDs?: openpgp.KeyID[];
}

async function sign(key: Key, options: SignOptions = {}): Promise<Uint8Array> {
  const message = await openpgp.createMessage({ binary: content });
  const signature = await openpgp.sign({
    message,
    signingKeys: key.secret,
    date: signedAt,
    ...options,
    detached: true,
    format: "object",
  });
  return signature.write() as Uint8Array;
}

function streamOf(data: Uint8Array): ReadableStream<Uint8Array> {
  let position = 0;
  return new ReadableStream({
    pull(controller) {
      if (position >= data.length) return controller.close();
      controller.enqueue(data.slice(position, position + 1000));
      position += 1000;
    },
  });
}

function verify(signature: Uint8Array, by: Signer, data = content, signal = never) {
  return verifySignature({ name: "rootfs.tar.gz", content: streamOf(data) }, signature, by, now, signal);
}

async function refusal(verification: Promise<unknown>): Promise<BerryError> {
  try {
    await verification;
  } catch (error) {
    if (error instanceof BerryError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a good signature", () => {
  test("is accepted as bytes and as armour", async () => {
    const binary = await sign(signer);
    expect(await verify(binary, signer)).toEqual({ signedAt, keyId: signer.fingerprint.slice(-16) });
    const armoured = (await openpgp.readSignature({ binarySignature: binary })).armor();
    expect((await verify(new TextEncoder().encode(armoured), signer)).signedAt).toEqual(signedAt);
  });

  test("may come from a signing subkey that the pinned primary key binds", async () => {
    const withSubkey = await makeKey({ subkeys: [{ sign: true }] });
    const subkey = withSubkey.secret.getSubkeys()[0];
    if (subkey === undefined) throw new Error("the key has no subkey");
    const signature = await sign(withSubkey, { signingKeyIDs: [subkey.getKeyID()] });
    expect((await verify(signature, withSubkey)).keyId).toBe(subkey.getKeyID().toHex().toUpperCase());
  });

  test("is found among the signatures of others", async () => {
    const both = new Uint8Array([...(await sign(stranger)), ...(await sign(signer))]);
    expect((await verify(both, signer)).keyId).toBe(signer.fingerprint.slice(-16));
  });

  test("counts when the key expired only afterwards", async () => {
    const expired = await makeKey({ keyExpirationTime: (20 * day) / 1000 });
    expect((await verify(await sign(expired), expired)).signedAt).toEqual(signedAt);
  });

  test("needs a key ring to hold the pinned key, not to be it alone", async () => {
    const [first, second] = await Promise.all([
      openpgp.readKey({ armoredKey: stranger.publicKey }),
      openpgp.readKey({ armoredKey: signer.publicKey }),
    ]);
    const ring = openpgp.armor(
      openpgp.enums.armor.publicKey,
      new Uint8Array([...first.write(), ...second.write()]),
    );
    const pinned = { fingerprint: signer.fingerprint, publicKey: ring };
    expect((await verify(await sign(signer), pinned)).signedAt).toEqual(signedAt);
    expect((await refusal(verify(await sign(stranger), pinned))).message).toContain("another key");
  });
});

describe("a signature is refused", () => {
  test("when one byte of the file differs", async () => {
    const changed = content.slice();
    changed[12_345] = 0;
    const error = await refusal(verify(await sign(signer), signer, changed));
    expect(error.kind).toBe("bad-data");
    expect(error.message).toBe(`bad signature: rootfs.tar.gz is not what ${signer.fingerprint} signed`);
  });

  test("when the file is cut short or empty", async () => {
    const signature = await sign(signer);
    expect((await refusal(verify(signature, signer, content.slice(0, -1)))).message).toStartWith(
      "bad signature",
    );
    expect((await refusal(verify(signature, signer, new Uint8Array()))).message).toBe(
      "rootfs.tar.gz is empty",
    );
  });

  test("when another key made it, and names both keys", async () => {
    const error = await refusal(verify(await sign(stranger), signer));
    expect(error.message).toContain("signed by another key");
    expect(error.message).toContain(signer.fingerprint);
    expect(error.message).toContain(stranger.fingerprint.slice(-16));
  });

  test("when the key file holds another key than the pinned one", async () => {
    const error = await refusal(
      verify(await sign(stranger), { ...stranger, fingerprint: signer.fingerprint }),
    );
    expect(error.kind).toBe("config");
    expect(error.message).toBe(
      `wrong public key: expected ${signer.fingerprint}, got ${stranger.fingerprint}`,
    );
  });

  test("when the key cannot be read", async () => {
    const error = await refusal(verify(await sign(signer), { ...signer, publicKey: "<html>" }));
    expect(error.kind).toBe("config");
  });

  test("when it claims the pinned key but was not made by it", async () => {
    const forged = await sign(signer);
    const last = forged.length - 1;
    forged[last] = (forged[last] ?? 0) ^ 1;
    expect((await refusal(verify(forged, signer))).message).toStartWith("bad signature");
  });

  test("when there is none: nothing, a web page, half of one", async () => {
    const signature = await sign(signer);
    const none = [new Uint8Array(), new TextEncoder().encode("<html>404</html>"), signature.slice(0, 40)];
    for (const bytes of none) {
      expect((await refusal(verify(bytes, signer))).message).toStartWith("no signature for rootfs.tar.gz");
    }
  });

  test.each(["sha1", "md5"] as const)("when it rests on %s", async (name) => {
    const weak = await sign(signer);
    // the fourth byte of the packet's body is the hash algorithm; the refusal comes before any cryptography
    const body = weak.indexOf(4, 1);
    weak[body + 3] = openpgp.enums.hash[name];
    const error = await refusal(verify(weak, signer));
    expect(error.message).toBe(
      `the signature of rootfs.tar.gz rests on a broken hash: ${name.toUpperCase()}`,
    );
  });

  test("when the key had expired before", async () => {
    const expired = await makeKey({ keyExpirationTime: (2 * day) / 1000 });
    const signature = await sign(expired, { date: new Date("2026-01-02T00:00:00Z") });
    expect((await verify(signature, expired)).signedAt).toEqual(new Date("2026-01-02T00:00:00Z"));

    // the same key and self-signature, but the clock of the signer stood after the end of the key
    const late = await openpgp.reformatKey({
      privateKey: expired.secret,
      userIDs: [{ name: "Test" }],
      date: new Date("2026-01-01T00:00:00Z"),
      format: "object",
    });
    const lateSignature = await sign(asKey(late.privateKey));
    const error = await refusal(verify(lateSignature, expired));
    expect(error.message).toContain("does not count");
  });

  test("when the key is revoked", async () => {
    const signature = await sign(signer);
    const { publicKey } = await openpgp.revokeKey({ key: signer.secret, date: now, format: "object" });
    const error = await refusal(verify(signature, { ...signer, publicKey: publicKey.armor() }));
    expect(error.message).toContain("does not count");
  });

  test("when it comes from a subkey that the pinned key did not bind itself", async () => {
    const other = await makeKey({ subkeys: [{ sign: true }] });
    const subkey = other.secret.getSubkeys()[0];
    if (subkey === undefined) throw new Error("the key has no subkey");
    const signature = await sign(other, { signingKeyIDs: [subkey.getKeyID()] });
    const pinned = await openpgp.readKey({ armoredKey: signer.publicKey });
    const packets = [...other.secret.toPublic().toPacketList()];
    const bound = packets.slice(packets.findIndex((packet) => packet instanceof openpgp.PublicSubkeyPacket));
    const list = new openpgp.PacketList<openpgp.AnyPacket>();
    list.push(...pinned.toPacketList(), ...bound);
    const grafted = openpgp.armor(openpgp.enums.armor.publicKey, list.write());
    const keyIds = (await openpgp.readKey({ armoredKey: grafted })).getKeyIDs().map((id) => id.toHex());
    expect(keyIds).toContain(subkey.getKeyID().toHex());
    const error = await refusal(verify(signature, { fingerprint: signer.fingerprint, publicKey: grafted }));
    expect(error.message).toContain("does not count");
  });

  test("when it was made in the future", async () => {
    const signature = await sign(signer, { date: new Date(now.getTime() + day) });
    const error = await refusal(verify(signature, signer));
    expect(error.message).toContain("future");
    expect(error.hint).toContain("clock");
  });

  test("when it is one over text", async () => {
    const message = await openpgp.createMessage({ text: "a\nb\n" });
    const signature = await openpgp.sign({
      message,
      signingKeys: signer.secret,
      date: signedAt,
      detached: true,
      format: "object",
    });
    const error = await refusal(
      verify(signature.write() as Uint8Array, signer, new TextEncoder().encode("a\r\nb\r\n")),
    );
    expect(error.message).toContain("0x00");
  });
});

describe("reading the file", () => {
  test("stops when the signal aborts", async () => {
    const controller = new AbortController();
    let chunks = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(stream) {
        chunks += 1;
        if (chunks === 5) controller.abort(new Error("enough"));
        stream.enqueue(new Uint8Array(1000));
      },
    });
    const verification = verifySignature(
      { name: "endless", content: endless },
      await sign(signer),
      signer,
      now,
      controller.signal,
    );
    expect(verification).rejects.toThrow("enough");
    await verification.catch(() => undefined);
  });

  test("passes on what goes wrong with it", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull(stream) {
        stream.error(new Error("the disk is gone"));
      },
    });
    const verification = verifySignature(
      { name: "broken", content: broken },
      await sign(signer),
      signer,
      now,
      never,
    );
    expect(await verification.catch((error: unknown) => String(error))).toContain("the disk is gone");
  });
});
