/** How an image is packed, told by its first bytes. */
export type Compression = "xz" | "zst" | "gz";

export type ImageFormat =
  | { readonly format: "raw" }
  | { readonly format: Compression }
  /** Known, but nothing that berry writes to a card. */
  | { readonly format: "foreign"; readonly name: string; readonly remedy: string };

/** What decompresses standard input to standard output, and the packages that it is of on Debian, Arch and Fedora. */
export const decompressors: Readonly<
  Record<Compression, { readonly argv: readonly [string, ...string[]]; readonly packages: string }>
> = {
  xz: { argv: ["xz", "-dc", "-T0"], packages: "xz-utils (Debian) or xz (Arch, Fedora)" },
  zst: { argv: ["zstd", "-dcq"], packages: "zstd" },
  gz: { argv: ["gzip", "-dc"], packages: "gzip" },
};

/** So many of an image's first bytes tell its format. */
export const signatureBytes = 512;

const packed: readonly (readonly [string, Compression])[] = [
  ["fd377a585a00", "xz"],
  ["28b52ffd", "zst"],
  ["1f8b", "gz"],
];

// of zstd and lz4: pzstd begins with one that tells the length of the frame behind it
const skippableFrame = /^5[0-9a-f]2a4d18/;
const skippableHeaderBytes = 8;

const foreign: readonly (readonly [string, string, string])[] = [
  ["504b0304", "a zip archive", "unpack it first: unzip"],
  ["425a68", "compressed by bzip2", "unpack it first: bunzip2"],
  ["5d0000", "compressed by lzma", "unpack it first: unlzma"],
  ["377abcaf271c", "a 7-Zip archive", "unpack it first: 7z x"],
  ["04224d18", "compressed by lz4", "unpack it first: unlz4"],
  ["514649fb", "a QEMU disk image (qcow2)", "convert it first: qemu-img convert -O raw"],
  ["4b444d", "a VMware disk image", "convert it first: qemu-img convert -O raw"],
  ["7668647866696c65", "a VHDX disk image", "convert it first: qemu-img convert -O raw"],
];

const packedNames = /\.(?:xz|txz|lzma|zst|zstd|gz|tgz|bz2|lz4|zip|7z|tar)$/i;

const tarRemedy =
  "`berry imager bake` makes an image of a root file system; an image that lies in an archive is unpacked first: tar xf";

/** The ending of a name that promises something packed; null: it promises nothing. */
export function promisedPacking(name: string): string | null {
  return packedNames.exec(name)?.[0] ?? null;
}

/** @param head the first `signatureBytes` of the file, or less where it ends */
export function imageFormat(head: Uint8Array): ImageFormat {
  const starts = (signature: string): boolean =>
    Buffer.from(head.subarray(0, signature.length / 2)).toString("hex") === signature;
  const found = packed.find(([signature]) => starts(signature));
  if (found !== undefined) return { format: found[1] };
  if (skippableFrame.test(Buffer.from(head.subarray(0, 4)).toString("hex"))) {
    const behind = imageFormat(head.subarray(endOfSkippable(head)));
    return behind.format === "foreign" ? behind : { format: "zst" };
  }
  const stranger = foreign.find(([signature]) => starts(signature));
  if (stranger !== undefined) return { format: "foreign", name: stranger[1], remedy: stranger[2] };
  const isTar = new TextDecoder("latin1").decode(head.subarray(257, 262)) === "ustar";
  const isMadeForDisks = head[510] === 0x55 && head[511] === 0xaa;
  if (isTar && !isMadeForDisks) return { format: "foreign", name: "a tar archive", remedy: tarRemedy };
  return { format: "raw" };
}

function endOfSkippable(head: Uint8Array): number {
  if (head.length < skippableHeaderBytes) return head.length;
  return skippableHeaderBytes + new DataView(head.buffer, head.byteOffset).getUint32(4, true);
}
