import { BerryError } from "../../core/errors.ts";
import { decompressors, type Compression } from "./compression.ts";
import type { ReadBytes } from "./extents.ts";
import { zstdSize } from "./zstd-size.ts";

export interface PackedFile {
  /** For errors. */
  readonly path: string;
  readonly fileDescriptor: number;
  readonly fileBytes: number;
  readonly compression: Compression;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * How large a packed file is when it is decompressed, as the file itself tells; null: it does not.
 * @param read of the packed file
 * @throws BerryError `bad-data` for one that is cut short
 */
export async function packedSize(
  file: PackedFile,
  read: ReadBytes,
  signal: AbortSignal,
): Promise<number | null> {
  switch (file.compression) {
    case "xz":
      return await listedSize(file, signal);
    case "zst": {
      const told = await zstdSize(read, file.fileBytes);
      switch (told.is) {
        case "size":
          return told.sizeBytes;
        case "cut":
          throw cutShort(file.path, `it ends after ${file.fileBytes} bytes, within a frame`);
        case "not-zstd":
          throw cutShort(file.path, "something else follows its first frame");
      }
    }
    case "gz":
      // its trailer tells the size modulo 4 GiB
      return null;
  }
}

/** `xz --list` reads the index at the end; it wants a path, and this one is of what is open already. */
async function listedSize(
  { path, fileDescriptor, environment }: PackedFile,
  signal: AbortSignal,
): Promise<number | null> {
  const program = Bun.which("xz", { PATH: environment["PATH"] ?? "" });
  if (program === null) {
    throw new BerryError("unavailable", `xz is not installed, which unpacks ${path}`, {
      hint: `install the package ${decompressors.xz.packages}`,
    });
  }
  const child = Bun.spawn([program, "--robot", "--list", "/proc/self/fd/0"], {
    env: { LC_ALL: "C" },
    stdin: fileDescriptor,
    stdout: "pipe",
    stderr: "pipe",
    signal,
  });
  const [text, complaint, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  signal.throwIfAborted();
  if (exitCode !== 0)
    throw cutShort(path, (complaint.trim().split("\n").at(-1) ?? "").replace("/proc/self/fd/0: ", ""));
  const totals = text.split("\n").find((line) => line.startsWith("totals\t")) ?? "";
  const size = Number(totals.split("\t")[4]);
  return Number.isSafeInteger(size) ? size : null;
}

function cutShort(path: string, why: string): BerryError {
  return new BerryError("bad-data", `cannot decompress ${path}: ${why}`, {
    hint: "the file is damaged or cut short: get it again",
  });
}
