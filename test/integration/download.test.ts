import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import * as openpgp from "openpgp";
import { BerryError } from "../../src/core/errors.ts";
import { download } from "../../src/imager/download/download.ts";
import type { DownloadOptions, DownloadRequest, Verification } from "../../src/imager/download/request.ts";
import { commandRunner } from "../../src/system/command-runner.ts";
import { makeKey, openGnupg, openSigner, signDetached } from "../fixtures/gnupg-key.ts";
import { patientClock, type PatientClock } from "../fixtures/patient-clock.ts";
import { plainEnvironment } from "../fixtures/run.ts";
import {
  serveUnruly,
  wellBehaved,
  type UnrulyReply,
  type UnrulyRequest,
  type UnrulyServer,
} from "../fixtures/unruly-server.ts";

const never = new AbortController().signal;
const stallMilliseconds = 1_000_000;
const rootfs = new Uint8Array(randomBytes(300_000));
const newRootfs = new Uint8Array(randomBytes(280_000));
const half = 150_000;

let folder: string;
let path: string;
let clock: PatientClock;
let notices: string[];
let retries: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-download-"));
  path = join(folder, "cache", "rootfs.tar.gz");
  // later than every signature that a test makes
  clock = patientClock(stallMilliseconds, Date.now() + 86_400_000);
  notices = [];
  retries = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function sha256(content: Uint8Array): Verification {
  return { kind: "sha256", hex: createHash("sha256").update(content).digest("hex") };
}

function fetchTo(
  request: Partial<DownloadRequest> & { url: string },
  options: Partial<DownloadOptions> = {},
  signal = never,
) {
  return download(
    { path, verification: sha256(rootfs), maxBytes: null, ...request },
    {
      clock,
      random: () => 0,
      stallMilliseconds,
      attempts: 4,
      onRetry: (reason) => retries.push(reason),
      onProgress: () => undefined,
      onNotice: (message) => notices.push(message),
      ...options,
    },
    signal,
  );
}

async function refusal(attempt: Promise<unknown>): Promise<BerryError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof BerryError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

async function cacheNames(): Promise<string[]> {
  return (await readdir(dirname(path))).toSorted();
}

/** Answers with the replies in turn; the last one again and again. */
function inTurn(...replies: ((request: UnrulyRequest) => UnrulyReply)[]) {
  return (request: UnrulyRequest, count: number): UnrulyReply => {
    const reply = replies[Math.min(count, replies.length) - 1];
    if (reply === undefined) throw new Error("no reply");
    return reply(request);
  };
}

const whole = (request: UnrulyRequest) => wellBehaved(request, rootfs, '"v1"');
const halfOf = (request: UnrulyRequest): UnrulyReply => ({
  ...whole(request),
  sentBytes: half,
  ending: "hang",
});

/** Cuts the connection once `doneBytes` have come. */
function cutAt(server: UnrulyServer, doneBytes: number): Partial<DownloadOptions> {
  let isCut = false;
  return {
    onProgress(done) {
      if (done === doneBytes && !isCut) server.cut();
      isCut ||= done === doneBytes;
    },
  };
}

describe("a download", () => {
  test("ends up whole, verified and for its owner alone", async () => {
    await using server = await serveUnruly(whole);
    const progress: (readonly [number, number | null])[] = [];
    const onProgress = (done: number, total: number | null) => progress.push([done, total]);
    const result = await fetchTo({ url: `${server.url}/r` }, { onProgress });
    expect(result).toEqual({ path, sizeBytes: rootfs.length, source: "network", signedAt: null });
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect(await cacheNames()).toEqual(["rootfs.tar.gz"]);
    expect(server.requests.map(({ headers }) => headers["accept-encoding"])).toEqual(["identity"]);
    expect(progress[0]).toEqual([0, rootfs.length]);
    expect(progress.at(-1)).toEqual([rootfs.length, rootfs.length]);
  });

  test("goes on where the connection was cut", async () => {
    await using server = await serveUnruly(inTurn(halfOf, whole));
    await fetchTo({ url: `${server.url}/r` }, cutAt(server, half));
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
    expect(server.requests[1]?.headers).toMatchObject({ range: `bytes=${half}-`, "if-range": '"v1"' });
    expect(clock.pauses).toEqual([1_000]);
  });

  test("starts over when the server ignores Range", async () => {
    await using server = await serveUnruly(inTurn(halfOf, () => ({ status: 200, body: rootfs })));
    await fetchTo({ url: `${server.url}/r` }, cutAt(server, half));
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
    expect(server.requests).toHaveLength(2);
  });

  test("starts over when the file changed in between", async () => {
    await using server = await serveUnruly(
      inTurn(halfOf, (request) => wellBehaved(request, newRootfs, '"v2"')),
    );
    await fetchTo({ url: `${server.url}/r`, verification: sha256(newRootfs) }, cutAt(server, half));
    expect(Buffer.compare(await readFile(path), newRootfs)).toBe(0);
  });

  test("starts over when the server ignores If-Range and mixes two versions", async () => {
    const careless = (request: UnrulyRequest): UnrulyReply => ({
      ...wellBehaved({ ...request, headers: { ...request.headers, "if-range": '"v2"' } }, newRootfs, '"v2"'),
    });
    await using server = await serveUnruly(inTurn(halfOf, careless));
    await fetchTo({ url: `${server.url}/r`, verification: sha256(newRootfs) }, cutAt(server, half));
    expect(Buffer.compare(await readFile(path), newRootfs)).toBe(0);
    expect(retries.at(-1)).toBe("the file changed on the server");
    expect(server.requests).toHaveLength(3);
  });

  test("starts over once when what was resumed does not verify", async () => {
    const sameLength = new Uint8Array(rootfs).fill(7, 0, 1000);
    const changed = (request: UnrulyRequest) => wellBehaved(request, sameLength, '"v1"');
    await using server = await serveUnruly(inTurn(halfOf, changed));
    await fetchTo({ url: `${server.url}/r`, verification: sha256(sameLength) }, cutAt(server, half));
    expect(Buffer.compare(await readFile(path), sameLength)).toBe(0);
    expect(notices).toEqual([`started ${server.url}/r over: what was resumed did not fit together`]);
  });

  test("asks again when the server sends less than was asked for", async () => {
    const atMost = 60_000;
    const stingy = (request: UnrulyRequest): UnrulyReply => {
      const from = Number(/\d+/.exec(request.headers["range"] ?? "")?.[0]);
      const body = rootfs.subarray(from, from + atMost);
      const range = `bytes ${from}-${from + body.length - 1}/${rootfs.length}`;
      return { status: 206, headers: { "content-range": range, etag: '"v1"' }, body };
    };
    await using server = await serveUnruly(inTurn(halfOf, stingy));
    await fetchTo({ url: `${server.url}/r` }, cutAt(server, half));
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
    expect(retries.slice(1)).toEqual([
      "the connection ended after 205 KiB of 293 KiB",
      "the connection ended after 264 KiB of 293 KiB",
    ]);
  });

  test("leaves its part when it is aborted, and the next one resumes it", async () => {
    await using server = await serveUnruly(inTurn(halfOf, whole));
    const controller = new AbortController();
    const onProgress = (done: number) => {
      if (done === half) controller.abort(new Error("Ctrl-C"));
    };
    const aborted = await fetchTo({ url: `${server.url}/r` }, { onProgress }, controller.signal).catch(
      (error: unknown) => error,
    );
    expect(String(aborted)).toContain("Ctrl-C");
    expect(await cacheNames()).toEqual(["rootfs.tar.gz.part", "rootfs.tar.gz.part.json"]);
    expect((await stat(`${path}.part`)).size).toBe(half);

    await fetchTo({ url: `${server.url}/r` });
    expect(server.requests[1]?.headers["range"]).toBe(`bytes=${half}-`);
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
    expect(await cacheNames()).toEqual(["rootfs.tar.gz"]);
  });

  test("notices by 416 that its part was whole already", async () => {
    await using server = await serveUnruly(whole);
    const url = `${server.url}/r`;
    await fetchTo({ url });
    await writeFile(`${path}.part`, rootfs);
    await writeFile(`${path}.part.json`, JSON.stringify({ url, validator: '"v1"', totalBytes: null }));
    await rm(path);
    await fetchTo({ url });
    expect(server.requests.at(-1)?.headers["range"]).toBe(`bytes=${rootfs.length}-`);
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
  });

  test("does not trust a part of another URL or one whose record is broken", async () => {
    await using server = await serveUnruly(whole);
    for (const record of [
      "{",
      JSON.stringify({ url: "http://other.test/", validator: '"v1"', totalBytes: null }),
    ]) {
      await rm(dirname(path), { recursive: true, force: true });
      await fetchTo({ url: `${server.url}/r` });
      await rm(path);
      await writeFile(`${path}.part`, "rubbish");
      await writeFile(`${path}.part.json`, record);
      await fetchTo({ url: `${server.url}/r` });
      expect(server.requests.at(-1)?.headers["range"]).toBeUndefined();
      expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
    }
  });

  test("ends when nothing comes for too long, and goes on in a new connection", async () => {
    await using server = await serveUnruly(inTurn(halfOf, whole));
    const onProgress = (done: number) => {
      if (done === half && retries.length === 0) setImmediate(() => clock.skipSilence());
    };
    await fetchTo({ url: `${server.url}/r` }, { onProgress });
    expect(retries).toEqual(["no byte came for 16 min 40 s"]);
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
  });

  test("follows redirects", async () => {
    await using mirror = await serveUnruly(whole);
    await using server = await serveUnruly(() => ({
      status: 302,
      headers: { location: `${mirror.url}/there` },
    }));
    await fetchTo({ url: `${server.url}/r` });
    expect(mirror.requests[0]?.path).toBe("/there");
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
  });

  test("takes the bytes as they are, whatever Content-Encoding says", async () => {
    const tarball = new Uint8Array(gzipSync("a tarball"));
    await using server = await serveUnruly(() => ({
      status: 200,
      headers: { "content-encoding": "gzip" },
      body: tarball,
    }));
    await fetchTo({ url: `${server.url}/r`, verification: sha256(tarball) });
    expect(Buffer.compare(await readFile(path), tarball)).toBe(0);
  });

  test("takes a body of unknown length", async () => {
    await using server = await serveUnruly(() => ({ status: 200, body: rootfs, length: "chunked" }));
    await fetchTo({ url: `${server.url}/r` });
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
  });
});

describe("trouble of the server", () => {
  test("503 twice and then fine is fine, after growing pauses", async () => {
    const busy = (): UnrulyReply => ({ status: 503 });
    await using server = await serveUnruly(inTurn(busy, busy, whole));
    await fetchTo({ url: `${server.url}/r` }, { random: () => 0.5 });
    expect(clock.pauses).toEqual([750, 1_500]);
    expect(retries).toEqual(["the server answered 503", "the server answered 503"]);
  });

  test("503 for ever ends with the URL, the reason and the count", async () => {
    await using server = await serveUnruly(() => ({ status: 503 }));
    const error = await refusal(fetchTo({ url: `${server.url}/r` }));
    expect(error.kind).toBe("unavailable");
    expect(error.message).toBe(`cannot download ${server.url}/r: the server answered 503 (4 attempts)`);
    expect(server.requests).toHaveLength(4);
  });

  test("a connection that is cut at the same place for ever ends, too", async () => {
    await using server = await serveUnruly(() => ({
      status: 200,
      body: rootfs,
      sentBytes: half,
      ending: "hang",
    }));
    const onProgress = (done: number) => {
      if (done === half) server.cut();
    };
    const error = await refusal(fetchTo({ url: `${server.url}/r` }, { onProgress }));
    expect(error.kind).toBe("unavailable");
    expect(server.requests).toHaveLength(4);
  });

  test("a connection that gets now far, now not so far, ends as well", async () => {
    const far = (): UnrulyReply => ({ status: 200, body: rootfs, sentBytes: half, ending: "hang" });
    const near = (): UnrulyReply => ({ ...far(), sentBytes: half / 2 });
    await using server = await serveUnruly((_, count) => (count % 2 === 1 ? far() : near()));
    const onProgress = (done: number) => {
      if (done === (server.requests.length % 2 === 1 ? half : half / 2)) server.cut();
    };
    expect((await refusal(fetchTo({ url: `${server.url}/r` }, { onProgress }))).kind).toBe("unavailable");
    expect(server.requests).toHaveLength(4);
  });

  test("a connection that is cut again and again, but further on, does not end", async () => {
    const step = 30_000;
    const little = (request: UnrulyRequest): UnrulyReply => ({
      ...whole(request),
      sentBytes: step,
      ending: "hang",
    });
    await using server = await serveUnruly(little);
    const cutEveryStep = (done: number) => {
      if (done > 0 && done % step === 0 && done / step === server.requests.length) server.cut();
    };
    await fetchTo({ url: `${server.url}/r` }, { onProgress: cutEveryStep });
    expect(server.requests).toHaveLength(rootfs.length / step);
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
  });

  test("nobody listening is tried again, and says so", async () => {
    const server = await serveUnruly(whole);
    await server[Symbol.asyncDispose]();
    const error = await refusal(fetchTo({ url: `${server.url}/r` }));
    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain(server.url);
    expect(clock.pauses).toEqual([1_000, 2_000, 4_000]);
  });

  test.each([
    [404, "no-input"],
    [403, "no-permission"],
  ] as const)("%d is final", async (status, kind) => {
    await using server = await serveUnruly(() => ({ status }));
    const error = await refusal(fetchTo({ url: `${server.url}/r` }));
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(`${server.url}/r`);
    expect(server.requests).toHaveLength(1);
    expect(await cacheNames()).toEqual([]);
  });

  test("more than was expected is not kept, announced or not", async () => {
    for (const length of ["announced", "chunked"] as const) {
      await using server = await serveUnruly(() => ({ status: 200, body: rootfs, length }));
      const error = await refusal(fetchTo({ url: `${server.url}/r`, maxBytes: 1000 }));
      expect(error.kind).toBe("bad-data");
      expect(error.message).toContain("larger than 1000 bytes");
      expect(await cacheNames()).toEqual([]);
    }
  });

  test("another file than the expected one has neither the final name nor a part", async () => {
    await using server = await serveUnruly((request) => wellBehaved(request, newRootfs, '"v1"'));
    const error = await refusal(fetchTo({ url: `${server.url}/r` }));
    expect(error.kind).toBe("bad-data");
    expect(error.message).toContain("another SHA-256");
    expect(error.message).toContain(`${server.url}/r`);
    expect(await cacheNames()).toEqual([]);
  });
});

describe("a cached file", () => {
  test("is verified and used without asking for it again", async () => {
    await using server = await serveUnruly(whole);
    await fetchTo({ url: `${server.url}/r` });
    expect(await fetchTo({ url: `${server.url}/r` })).toMatchObject({
      source: "cache",
      sizeBytes: rootfs.length,
    });
    expect(server.requests).toHaveLength(1);
  });

  test("is fetched anew when one byte of it changed", async () => {
    await using server = await serveUnruly(whole);
    await fetchTo({ url: `${server.url}/r` });
    const corrupt = rootfs.slice();
    corrupt[1] = (corrupt[1] ?? 0) ^ 1;
    await writeFile(path, corrupt);
    expect((await fetchTo({ url: `${server.url}/r` })).source).toBe("network");
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
    expect(notices[0]).toStartWith(`discarded ${path}: ${path} has another SHA-256`);
  });
});

describe("a signed file", () => {
  interface Signer {
    readonly fingerprint: string;
    readonly armoured: string;
    sign(content: Uint8Array): Promise<Uint8Array>;
  }
  let signer: Signer;
  let stranger: Signer;

  async function newSigner(): Promise<Signer> {
    const { privateKey } = await openpgp.generateKey({ userIDs: [{ name: "Test" }], format: "object" });
    return {
      fingerprint: privateKey.getFingerprint().toUpperCase(),
      armoured: privateKey.toPublic().armor(),
      async sign(content) {
        const message = await openpgp.createMessage({ binary: content });
        const signature = await openpgp.sign({
          message,
          signingKeys: privateKey,
          detached: true,
          format: "object",
        });
        return signature.write() as Uint8Array;
      },
    };
  }

  beforeAll(async () => {
    signer = await newSigner();
    stranger = await newSigner();
  });

  function signedBy(url: string, key = signer): Verification {
    const publicKey = { armoured: key.armoured };
    return { kind: "openpgp", signature: `${url}/r.sig`, fingerprint: key.fingerprint, publicKey };
  }

  /** Serves `files` by path; a path that is not there is 404. */
  function serveFiles(files: Readonly<Record<string, Uint8Array>>) {
    return serveUnruly((request) => {
      const body = files[request.path];
      return body === undefined ? { status: 404 } : wellBehaved(request, body, '"v1"');
    });
  }

  test("is kept with its signature and key, and needs no network afterwards", async () => {
    const server = await serveFiles({ "/r": rootfs, "/r.sig": await signer.sign(rootfs) });
    const request = { url: `${server.url}/r`, verification: signedBy(server.url) };
    const first = await fetchTo(request);
    expect(first).toMatchObject({ source: "network", sizeBytes: rootfs.length });
    expect(first.signedAt).toBeInstanceOf(Date);
    expect(await cacheNames()).toEqual(["rootfs.tar.gz", "rootfs.tar.gz.asc", "rootfs.tar.gz.sig"]);
    await server[Symbol.asyncDispose]();

    expect((await fetchTo(request)).source).toBe("cache");
    expect(notices).toHaveLength(1);
    expect(clock.pauses).toEqual([1_000]);
  });

  test("that is corrupt stays where it is as long as nothing better can be had", async () => {
    const server = await serveFiles({ "/r": rootfs, "/r.sig": await signer.sign(rootfs) });
    const request = { url: `${server.url}/r`, verification: signedBy(server.url) };
    await fetchTo(request);
    await server[Symbol.asyncDispose]();
    await writeFile(path, "corrupt");
    expect((await refusal(fetchTo(request))).kind).toBe("unavailable");
    expect(await readFile(path, "utf8")).toBe("corrupt");
  });

  test("is fetched anew when its makers signed a new one", async () => {
    const files: Record<string, Uint8Array> = { "/r": rootfs, "/r.sig": await signer.sign(rootfs) };
    await using server = await serveFiles(files);
    const request = { url: `${server.url}/r`, verification: signedBy(server.url) };
    await fetchTo(request);
    files["/r"] = newRootfs;
    files["/r.sig"] = await signer.sign(newRootfs);
    expect((await fetchTo(request)).source).toBe("network");
    expect(Buffer.compare(await readFile(path), newRootfs)).toBe(0);
  });

  test("may be replaced by its makers while it is downloaded", async () => {
    const [old, fresh] = [await signer.sign(rootfs), await signer.sign(newRootfs)];
    let signatures = 0;
    await using server = await serveUnruly((request) => {
      if (request.path === "/r") return wellBehaved(request, newRootfs, '"v2"');
      signatures += 1;
      return { status: 200, body: signatures === 1 ? old : fresh };
    });
    await fetchTo({ url: `${server.url}/r`, verification: signedBy(server.url) });
    expect(Buffer.compare(await readFile(path), newRootfs)).toBe(0);
    expect(Buffer.compare(await readFile(`${path}.sig`), fresh)).toBe(0);
  });

  test("of which the signature is bad leaves nothing behind", async () => {
    await using server = await serveFiles({ "/r": newRootfs, "/r.sig": await signer.sign(rootfs) });
    const error = await refusal(fetchTo({ url: `${server.url}/r`, verification: signedBy(server.url) }));
    expect(error.kind).toBe("bad-data");
    expect(error.message).toBe(`bad signature: ${server.url}/r is not what ${signer.fingerprint} signed`);
    expect(await cacheNames()).toEqual([]);
  });

  test("of which the signature is bad is called so even if the signature is gone by then", async () => {
    const old = await signer.sign(rootfs);
    let signatures = 0;
    await using server = await serveUnruly((request) => {
      if (request.path === "/r") return wellBehaved(request, newRootfs, '"v1"');
      signatures += 1;
      return signatures === 1 ? { status: 200, body: old } : { status: 404 };
    });
    const error = await refusal(fetchTo({ url: `${server.url}/r`, verification: signedBy(server.url) }));
    expect(error.message).toStartWith("bad signature");
    expect(signatures).toBe(2);
    expect(await cacheNames()).toEqual([]);
  });

  test("is not even asked for when another key signed it, and the cached one stays", async () => {
    const files: Record<string, Uint8Array> = { "/r": rootfs, "/r.sig": await signer.sign(rootfs) };
    await using server = await serveFiles(files);
    const request = { url: `${server.url}/r`, verification: signedBy(server.url) };
    await fetchTo(request);
    files["/r.sig"] = await stranger.sign(rootfs);
    const asked = server.requests.length;
    expect((await refusal(fetchTo(request))).message).toContain("signed by another key");
    expect(server.requests.slice(asked).map((asking) => asking.path)).toEqual(["/r.sig"]);
    expect(Buffer.compare(await readFile(path), rootfs)).toBe(0);
  });

  test("without a signature is refused with the address that has none", async () => {
    await using server = await serveFiles({ "/r": rootfs });
    const error = await refusal(fetchTo({ url: `${server.url}/r`, verification: signedBy(server.url) }));
    expect(error.kind).toBe("no-input");
    expect(error.message).toContain(`${server.url}/r.sig`);
  });

  test("may have its key fetched, which must be the pinned one", async () => {
    const files = {
      "/r": rootfs,
      "/r.sig": await signer.sign(rootfs),
      "/key": new TextEncoder().encode(signer.armoured),
      "/other": new TextEncoder().encode(stranger.armoured),
    };
    await using server = await serveFiles(files);
    const withKey = (key: string): DownloadRequest => ({
      path,
      maxBytes: null,
      url: `${server.url}/r`,
      verification: {
        kind: "openpgp",
        signature: `${server.url}/r.sig`,
        fingerprint: signer.fingerprint,
        publicKey: { url: `${server.url}${key}` },
      },
    });
    const error = await refusal(fetchTo(withKey("/other")));
    expect(error.message).toBe(
      `wrong public key: expected ${signer.fingerprint}, got ${stranger.fingerprint}`,
    );
    expect((await fetchTo(withKey("/key"))).source).toBe("network");
  });
});

describe("a file that gpg signed", () => {
  test("is accepted with SHA-512, and refused with SHA-1", async () => {
    const key = await makeKey("gpg", never);
    await using gnupg = await openSigner(key, never);
    const file = join(folder, "signed");
    await writeFile(file, rootfs);
    await signDetached(gnupg, file);
    await gnupg.gpg(["--digest-algo", "SHA1", "--detach-sign", "--output", `${file}.sha1`, file]);
    await using server = await serveUnruly(whole);
    const verification = async (signature: string): Promise<Verification> => ({
      kind: "openpgp",
      signature: new Uint8Array(await readFile(signature)),
      fingerprint: key.fingerprint,
      publicKey: { armoured: key.publicKey },
    });
    const url = `${server.url}/r`;
    const weak = await refusal(fetchTo({ url, verification: await verification(`${file}.sha1`) }));
    expect(weak.message).toBe(`the signature of ${url} rests on a broken hash: SHA1`);
    expect(server.requests).toHaveLength(0);
    expect((await fetchTo({ url, verification: await verification(`${file}.sig`) })).source).toBe("network");
  });

  test("is accepted when only the key's self-signature rests on SHA-1", async () => {
    await using gnupg = await openGnupg(never);
    const old = ["--cert-digest-algo", "SHA1", "--passphrase", ""];
    await gnupg.gpg([...old, "--quick-generate-key", "Old <old@example.org>", "rsa2048", "sign", "never"]);
    const fingerprint =
      /^fpr:+([0-9A-F]{40}):/m.exec(await gnupg.gpg(["--with-colons", "--list-keys"]))?.[1] ?? "";
    const armoured = await gnupg.gpg(["--armor", "--export"]);
    const selfSignature = (await openpgp.readKey({ armoredKey: armoured })).users[0]?.selfCertifications[0];
    expect(selfSignature?.hashAlgorithm).toBe(openpgp.enums.hash.sha1);
    const file = join(folder, "signed");
    await writeFile(file, rootfs);
    await signDetached(gnupg, file);
    await using server = await serveUnruly(whole);
    const signature = new Uint8Array(await readFile(`${file}.sig`));
    const verification: Verification = { kind: "openpgp", signature, fingerprint, publicKey: { armoured } };
    expect((await fetchTo({ url: `${server.url}/r`, verification })).source).toBe("network");
  });
});

describe("a full disk", () => {
  /** Downloads onto a tmpfs of 128 KiB, in a mount namespace of its own. */
  async function onSmallDisk(
    reply: UnrulyReply,
  ): Promise<{ kind: string; message: string; hint: string; files: string[] }> {
    await using server = await serveUnruly(() => reply);
    const script = 'mount -t tmpfs -o size=128k,mode=0700 tmpfs "$1" && shift && exec "$@"';
    const program = [process.execPath, join(import.meta.dir, "../fixtures/download-to.fixture.ts")];
    const hex = createHash("sha256").update(rootfs).digest("hex");
    const { exitCode, stdout, stderr } = await commandRunner.run(
      [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        folder,
        ...program,
        `${server.url}/r`,
        join(folder, "r"),
        hex,
      ],
      { env: plainEnvironment(tmpdir()) },
      never,
    );
    if (exitCode !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as { kind: string; message: string; hint: string; files: string[] };
  }

  test("is noticed before the first byte when the length is known", async () => {
    const error = await onSmallDisk({ status: 200, body: rootfs });
    expect(error.kind).toBe("cannot-create");
    expect(error.message).toContain("no room for");
    expect(error.message).toContain("293 KiB are missing");
    expect(error.hint).toContain("XDG_CACHE_HOME");
    expect(error.files).toEqual([]);
  });

  test("is said in words when it fills up, and what has come stays for later", async () => {
    const error = await onSmallDisk({
      status: 200,
      headers: { etag: '"v1"' },
      body: rootfs,
      length: "chunked",
    });
    expect(error.kind).toBe("cannot-create");
    expect(error.message).toBe(`no room left on the disk of ${join(folder, "r.part")}`);
    expect(error.files).toEqual(["r.part", "r.part.json"]);
  });
});
