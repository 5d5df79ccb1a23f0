import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { MiB } from "../../core/units.ts";

/** The first 4096 bytes of a file, or all of it. */
export async function head(path: string): Promise<Uint8Array> {
  await using file = await open(path, "r");
  const buffer = new Uint8Array(4096);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  return buffer.subarray(0, bytesRead);
}

/** In lower-case hexadecimal digits. */
export async function sha256Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  // Checked boundary: without an encoding, a stream of a file gives buffers.
  for await (const chunk of createReadStream(path, { highWaterMark: MiB })) hasher.update(chunk as Buffer);
  return hasher.digest("hex");
}
