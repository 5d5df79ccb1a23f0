import { ftruncateSync, write } from "node:fs";
import { promisify } from "node:util";
import { BerryError, codeOf, messageOf } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import { decompressors, type Compression } from "./compression.ts";
import { openScratch } from "./open-scratch.ts";

/** A nameless file that a decompressor fills from its beginning. */
export interface Stream extends AsyncDisposable {
  readonly fileDescriptor: number;
  availableBytes(): number;
  /** Resolves when more than `bytes` can be read, or all; throws what stopped the decompressor. */
  moreThan(bytes: number, signal: AbortSignal): Promise<void>;
}

export interface StreamRequest {
  /** For errors. */
  readonly path: string;
  /** The packed file; the decompressor gets it as standard input and reads from its position, 0. */
  readonly packedDescriptor: number;
  readonly compression: Compression;
  /** What it must come to; null: unknown. */
  readonly sizeBytes: number | null;
  /** The scratch file takes at least so much. */
  readonly leastBytes: number;
  readonly warn: (message: string, hint: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const writeAt = promisify(write);
const pieceBytes = 64 * 1024;
const zeros = Buffer.alloc(pieceBytes);

/**
 * Starts to decompress. Disposing, or aborting `signal`, ends the decompressor; long runs of zeros are left out of
 * the file, which has its whole length from the beginning where that is known.
 * @throws BerryError `unavailable` without the program, `cannot-create` without room
 */
export async function openStream(request: StreamRequest, signal: AbortSignal): Promise<Stream> {
  const { path, environment, sizeBytes } = request;
  const { argv, packages } = decompressors[request.compression];
  const program = Bun.which(argv[0], { PATH: environment["PATH"] ?? "" });
  if (program === null) {
    throw new BerryError("unavailable", `${argv[0]} is not installed, which unpacks ${path}`, {
      hint: `install the package ${packages}`,
    });
  }
  await using undo = new AsyncDisposableStack();
  const scratch = undo.use(openScratch(path, environment["TMPDIR"]));
  if (scratch.freeBytes < request.leastBytes) {
    throw new BerryError(
      "cannot-create",
      `${path} takes ${formatBytes(request.leastBytes)} in ${scratch.folder} while it is decompressed, but ${formatBytes(scratch.freeBytes)} are free`,
      { hint: "name a folder with more room: TMPDIR=FOLDER" },
    );
  }
  if (sizeBytes !== null) ftruncateSync(scratch.fileDescriptor, sizeBytes);

  const child = Bun.spawn([program, ...argv.slice(1)], {
    env: { PATH: environment["PATH"] ?? "", LC_ALL: "C" },
    stdin: request.packedDescriptor,
    stdout: "pipe",
    stderr: "pipe",
    // Ctrl-C is berry's to answer: it ends the child when all that reads the file has ended
    detached: true,
  });
  const end = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", end, { once: true });
  undo.defer(() => signal.removeEventListener("abort", end));

  let available = 0;
  let state: "filling" | "whole" | { readonly failure: unknown } = "filling";
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const fill = async (): Promise<void> => {
    const complaint = lastLine(child.stderr);
    for await (const chunk of child.stdout) {
      if (sizeBytes !== null && available + chunk.length > sizeBytes)
        throw new BerryError("bad-data", `${path} holds more than the ${sizeBytes} bytes that are promised`);
      await writeSparsely(scratch.fileDescriptor, chunk, available);
      available += chunk.length;
      tell();
    }
    const exitCode = await child.exited;
    signal.throwIfAborted();
    // gzip has checked the sums of all that it unpacked
    const isFollowed = request.compression === "gz" && exitCode === 2 && /trailing/.test(await complaint);
    if (isFollowed) {
      request.warn(
        `${path} has more bytes behind the end of its gzip stream: they are left out`,
        "images of OpenWrt do; of any other, compare the checksum of the download",
      );
    } else if (exitCode !== 0) {
      const why = (await complaint) || `it ended with ${child.signalCode ?? `exit code ${exitCode}`}`;
      throw new BerryError("bad-data", `cannot decompress ${path} beyond byte ${available}: ${why}`, {
        hint: "the file is damaged or cut short: get it again",
      });
    }
    if (sizeBytes !== null && available !== sizeBytes)
      throw new BerryError("bad-data", `${path} holds ${available} bytes, but ${sizeBytes} are promised`);
    ftruncateSync(scratch.fileDescriptor, available);
  };
  const run = async (): Promise<void> => {
    try {
      await fill();
      state = "whole";
    } catch (cause) {
      end();
      state = { failure: signal.aborted ? signal.reason : scratchFailure(cause, path, scratch.folder) };
    } finally {
      tell();
    }
  };
  const filled = run();
  // the file must not be closed, and its number given to another, while the last chunk is written to it
  undo.defer(async () => await filled);
  undo.defer(end);

  const owned = undo.move();
  return {
    fileDescriptor: scratch.fileDescriptor,
    availableBytes: () => available,
    async moreThan(bytes, waiting) {
      while (true) {
        waiting.throwIfAborted();
        if (typeof state === "object") throw state.failure;
        if (state === "whole" || available > bytes) return;
        await either(changed.promise, waiting);
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Resolves with the promise or when the signal is aborted, whichever comes first. */
async function either(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener("abort", onAbort);
}

async function writeSparsely(fileDescriptor: number, chunk: Uint8Array, offset: number): Promise<void> {
  let begin = 0;
  const flush = async (end: number): Promise<void> => {
    while (begin < end) {
      const { bytesWritten } = await writeAt(fileDescriptor, chunk, begin, end - begin, offset + begin);
      begin += bytesWritten;
    }
  };
  let position = 0;
  while (position < chunk.length) {
    const end = Math.min(chunk.length, position + pieceBytes - ((offset + position) % pieceBytes));
    if (zeros.compare(chunk, position, end, 0, end - position) === 0) {
      await flush(position);
      begin = end;
    }
    position = end;
  }
  await flush(chunk.length);
}

async function lastLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let kept = "";
  for await (const chunk of stream) kept = (kept + decoder.decode(chunk, { stream: true })).slice(-4096);
  return kept.trim().split("\n").at(-1) ?? "";
}

function scratchFailure(cause: unknown, path: string, folder: string): unknown {
  if (cause instanceof BerryError) return cause;
  const isFull = ["ENOSPC", "EDQUOT"].includes(codeOf(cause) ?? "");
  return isFull
    ? new BerryError("cannot-create", `${folder} is full: no room for the decompressed image of ${path}`, {
        hint: "free some space, or name another folder: TMPDIR=FOLDER",
        cause,
      })
    : new BerryError(
        "io",
        `cannot write the decompressed image of ${path} in ${folder}: ${messageOf(cause)}`,
        { cause },
      );
}
