import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageReader } from "../../../../src/imager/write/image-reader.ts";
import type { Piece, Segment } from "../../../../src/imager/write/pieces.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

const content = Uint8Array.from({ length: 16_000 }, (_, index) => (index * 7919) >>> 5);
const never = new AbortController().signal;
const everything = { bytes: () => content.length, atLeast: async () => undefined };

let folder = "";
let fileDescriptor = -1;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-reader-"));
  writeFileSync(join(folder, "image"), content);
  fileDescriptor = openSync(join(folder, "image"), "r");
});
afterAll(async () => {
  closeSync(fileDescriptor);
  await rm(folder, { recursive: true });
});

function digest(begin: number, end: number): string {
  return new Bun.CryptoHasher("sha256").update(content.subarray(begin, end)).digest("hex");
}

const promised = (begin: number, end: number, sha256: string | null = digest(begin, end)) => ({
  offsetBytes: begin,
  lengthBytes: end - begin,
  sha256,
});
const segment = (begin: number, end: number, from: Segment["from"] = "image"): Segment => ({
  offsetBytes: begin,
  lengthBytes: end - begin,
  from,
});
const pieceOf = (...segments: Segment[]): Piece => ({
  offsetBytes: segments[0]?.offsetBytes ?? 0,
  lengthBytes: segments.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0),
  segments,
});

async function readAll(data: readonly ReturnType<typeof promised>[], pieces: readonly Piece[]) {
  const reader = imageReader({ fileDescriptor, path: "an.img", sizeBytes: content.length, data }, everything);
  const read: Uint8Array[] = [];
  for (const piece of pieces) {
    const target = new Uint8Array(piece.lengthBytes).fill(0xee);
    await reader.read(piece, target, never);
    read.push(target);
  }
  return read;
}

test("a piece is what the image has, zeros where it says so, and zeros behind the end of the image", async () => {
  const [one, two] = await readAll(
    [],
    [
      pieceOf(segment(512, 1024), segment(1024, 2048, "zeros"), segment(2048, 2560)),
      pieceOf(segment(15_872, 16_384)),
    ],
  );
  const wanted = new Uint8Array(2048);
  wanted.set(content.subarray(512, 1024));
  wanted.set(content.subarray(2048, 2560), 1536);
  expect(one).toEqual(wanted);
  const end = new Uint8Array(512);
  end.set(content.subarray(15_872));
  expect(two).toEqual(end);
});

const pieces = [
  pieceOf(segment(0, 4096), segment(4096, 6144, "zeros")),
  pieceOf(segment(6144, 10_240), segment(10_240, 12_288)),
];

test("what was promised is held against all extents that it covers, however they are cut", async () => {
  const data = [promised(0, 1024), promised(1024, 4096), promised(6144, 11_000), promised(11_000, 12_288)];
  await readAll(data, pieces);
  await readAll([promised(0, 4096, null), promised(6144, 12_288)], pieces);
});

test.each([0, 1, 2, 3])("a broken promise of extent %d is told with its place", async (index) => {
  const data = [promised(0, 1024), promised(1024, 4096), promised(6144, 11_000), promised(11_000, 12_288)];
  const broken = data.map((one, place) => (place === index ? { ...one, sha256: "00".repeat(32) } : one));
  const { offsetBytes = 0, lengthBytes = 0 } = data[index] ?? {};
  const failure = await failureOf(readAll(broken, pieces));
  expect(String(failure)).toContain(`bytes ${offsetBytes} to ${offsetBytes + lengthBytes}`);
});

test("what is read twice is judged once, and by its first reading", async () => {
  const [first, second] = pieces;
  if (first === undefined || second === undefined) throw new Error("two pieces");
  await readAll([promised(0, 4096), promised(6144, 12_288)], [first, first, second, first, second]);
});

test("an image that has become shorter is told of", async () => {
  const reader = imageReader({ fileDescriptor, path: "an.img", sizeBytes: 20_000, data: [] }, everything);
  const failure = await failureOf(reader.read(pieceOf(segment(15_872, 16_384)), new Uint8Array(512), never));
  expect(String(failure)).toContain("an.img was changed");
});
