import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { BerryError } from "../../../../src/core/errors.ts";
import { parseBmap, renderBmap } from "../../../../src/imager/source/bmap.ts";

const sum = "ab".repeat(32);

/** A block map whose own checksum is right, whatever else is wrong with it. */
function bmapText(changes: Readonly<Record<string, string>> = {}): string {
  const parts = {
    version: "2.0",
    size: "<ImageSize> 40000 </ImageSize>",
    blockSize: "<BlockSize> 4096 </BlockSize>",
    blocks: "<BlocksCount> 10 </BlocksCount>",
    mapped: "<MappedBlocksCount> 4 </MappedBlocksCount>",
    type: "<ChecksumType> sha256 </ChecksumType>",
    own: "BmapFileChecksum",
    algorithm: "sha256",
    ranges: `<Range chksum="${sum}"> 0-1 </Range><Range chksum="${sum}">4</Range><Range>9</Range>`,
    ...changes,
  };
  const zeros = "0".repeat(createHash(parts.algorithm).digest("hex").length);
  const text = `<?xml version="1.0" ?>
<!-- a comment -->
<bmap version="${parts.version}">
${parts.size}${parts.blockSize}${parts.blocks}${parts.mapped}${parts.type}
<${parts.own}> ${zeros} </${parts.own}>
<BlockMap>${parts.ranges}</BlockMap>
</bmap>
`;
  return text.replace(zeros, createHash(parts.algorithm).update(text).digest("hex"));
}

function parse(text: string) {
  return parseBmap(new TextEncoder().encode(text), "x.bmap");
}

function problemOf(text: string): string {
  try {
    parse(text);
  } catch (thrown) {
    if (thrown instanceof BerryError && thrown.kind === "bad-data") return thrown.message;
    throw thrown;
  }
  return "";
}

describe("a block map", () => {
  test("tells the size and the ranges; the last ends with the image", () => {
    expect(parse(bmapText())).toEqual({
      sizeBytes: 40_000,
      blockBytes: 4096,
      checksumType: "sha256",
      ranges: [
        { offsetBytes: 0, lengthBytes: 8192, checksum: sum },
        { offsetBytes: 16_384, lengthBytes: 4096, checksum: sum },
        { offsetBytes: 36_864, lengthBytes: 3136, checksum: null },
      ],
    });
  });

  test("of format 1.3 has SHA-1 in other places", () => {
    const old = bmapText({
      version: "1.3",
      type: "",
      own: "BmapFileSHA1",
      algorithm: "sha1",
      ranges: `<Range sha1="${"cd".repeat(20)}">0-3</Range>`,
    });
    const { checksumType, ranges } = parse(old);
    expect(checksumType).toBe("sha1");
    expect(ranges[0]?.checksum).toBe("cd".repeat(20));
  });

  test("of format 1.4 is what 2.0 is", () => {
    expect(parse(bmapText({ version: "1.4" }))).toEqual(parse(bmapText()));
  });

  test.each([
    ["an unknown format", { version: "3.0" }, 'found "3.0"'],
    ["an unknown checksum", { type: "<ChecksumType>md5</ChecksumType>" }, "which berry does not know"],
    ["no image size", { size: "" }, "no <ImageSize>"],
    [
      "two block sizes",
      { blockSize: "<BlockSize>4096</BlockSize><BlockSize>512</BlockSize>" },
      "more than one",
    ],
    ["an odd block size", { blockSize: "<BlockSize>1000</BlockSize>" }, "no multiple of 512"],
    ["a number that is none", { size: "<ImageSize>-5</ImageSize>" }, "not a number"],
    ["blocks that are not the size", { blocks: "<BlocksCount>11</BlocksCount>" }, "are not the 40000 bytes"],
    [
      "a count that is not that of its ranges",
      { mapped: "<MappedBlocksCount>5</MappedBlocksCount>" },
      "have 4 blocks",
    ],
    ["ranges out of order", { ranges: "<Range>4-5</Range><Range>0-1</Range>" }, "out of order"],
    ["ranges that overlap", { ranges: "<Range>0-2</Range><Range>2</Range>" }, "overlaps"],
    ["a range backwards", { ranges: "<Range>3-0</Range>" }, "out of order"],
    ["a range beyond the end", { ranges: "<Range>7-10</Range>" }, "behind the last block, 9"],
    ["a range that is none", { ranges: "<Range>a-b</Range>" }, "FIRST-LAST"],
    ["a checksum of the wrong length", { ranges: '<Range chksum="abcd">0-3</Range>' }, "no sha256"],
    ["two maps", { ranges: "</BlockMap><BlockMap>" }, "one <BlockMap>"],
  ])("with %s is refused", (_, changes, complaint) => {
    expect(problemOf(bmapText(changes))).toContain(complaint);
  });

  test("that was changed is refused, wherever", () => {
    const text = bmapText();
    for (const place of ["40000", "<Range>9", "a comment", sum]) {
      const at = text.indexOf(place) + 3;
      const other = text[at] === "0" ? "1" : "0";
      expect(problemOf(text.slice(0, at) + other + text.slice(at + 1))).not.toBe("");
    }
  });

  test("that is cut short anywhere is refused", () => {
    const text = bmapText().trimEnd();
    for (let length = 0; length < text.length; length += 1)
      expect(problemOf(text.slice(0, length))).toStartWith("x.bmap: ");
  });

  test.each([
    ["an HTML page", "<!doctype html><html><body>404</body></html>"],
    ["text", "not found"],
    ["nothing", ""],
    [
      "entities that grow",
      '<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><bmap version="2.0">&b;</bmap>',
    ],
  ])("that is %s is refused", (_, text) => {
    expect(problemOf(text)).toStartWith("x.bmap: ");
  });

  test("is read as it was written", () => {
    const bmap = {
      sizeBytes: 40_000,
      blockBytes: 4096,
      ranges: [
        { offsetBytes: 4096, lengthBytes: 8192, checksum: sum },
        { offsetBytes: 36_864, lengthBytes: 3136, checksum: sum },
      ],
    };
    expect(parse(renderBmap(bmap))).toEqual({ ...bmap, checksumType: "sha256" });
  });
});
