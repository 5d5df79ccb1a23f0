import { createHash } from "node:crypto";
import { DOMParser, ParseError, type Element } from "@xmldom/xmldom";
import { BerryError } from "../../core/errors.ts";
import { extent } from "./extents.ts";
import type { Extent } from "./image-map.ts";

/** What checksums of a .bmap berry can work out; the names are the format's and node:crypto's as well. */
const checksumTypes = ["sha256", "sha1", "sha512"] as const;
export type ChecksumType = (typeof checksumTypes)[number];

export interface BmapRange extends Extent {
  /** Lower-case hexadecimal; null: the file promises nothing. */
  readonly checksum: string | null;
}

export interface Bmap {
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly checksumType: ChecksumType;
  /** In order, without overlap; the last may end with the image, within a block. */
  readonly ranges: readonly BmapRange[];
}

/**
 * Parses a block map of Intel's and Yocto's bmaptool, format 1.3, 1.4 or 2.0, and checks its own checksum.
 * @param bytes the whole file
 * @param name of the file, for errors
 * @throws BerryError `bad-data`
 */
export function parseBmap(bytes: Uint8Array, name: string): Bmap {
  const wrong = (problem: string): BerryError =>
    new BerryError("bad-data", `${name}: ${problem}`, {
      hint: "get or make it anew, or leave it unused: then the image is written without a block map",
    });
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const root = rootOf(text, wrong);
  const version = root.getAttribute("version") ?? "";
  if (!["1.3", "1.4", "2.0"].includes(version))
    throw wrong(`format 1.3, 1.4 or 2.0 was expected, found ${JSON.stringify(version)}`);
  const isOld = version === "1.3";
  const number = (tag: string): number => {
    const found = textOf(root, tag, wrong);
    if (!/^\d{1,15}$/.test(found)) throw wrong(`${tag} is not a number: ${JSON.stringify(found)}`);
    return Number(found);
  };
  const typeName = isOld ? "sha1" : textOf(root, "ChecksumType", wrong);
  const checksumType = checksumTypes.find((known) => known === typeName);
  if (checksumType === undefined)
    throw wrong(`its checksums are ${typeName}, which berry does not know: ${checksumTypes.join(", ")}`);
  checkOwnSum(
    text,
    textOf(root, isOld ? "BmapFileSHA1" : "BmapFileChecksum", wrong).toLowerCase(),
    checksumType,
    wrong,
  );

  const sizeBytes = number("ImageSize");
  const blockBytes = number("BlockSize");
  const blocks = number("BlocksCount");
  const mappedBlocks = number("MappedBlocksCount");
  if (blockBytes < 512 || blockBytes % 512 !== 0)
    throw wrong(`BlockSize is no multiple of 512: ${blockBytes}`);
  if (sizeBytes === 0 || blocks !== Math.ceil(sizeBytes / blockBytes))
    throw wrong(`${blocks} blocks of ${blockBytes} bytes are not the ${sizeBytes} bytes of its image`);
  const ranges = rangesOf(
    root,
    { attribute: isOld ? "sha1" : "chksum", checksumType, sizeBytes, blockBytes, blocks },
    wrong,
  );
  const mapped = ranges.reduce((sum, { lengthBytes }) => sum + Math.ceil(lengthBytes / blockBytes), 0);
  if (mapped !== mappedBlocks)
    throw wrong(`its ranges have ${mapped} blocks, but MappedBlocksCount is ${mappedBlocks}`);
  return { sizeBytes, blockBytes, checksumType, ranges };
}

type Wrong = (problem: string) => BerryError;

function rootOf(text: string, wrong: Wrong): Element {
  const problems: string[] = [];
  const onError = (level: "warning" | "error" | "fatalError", message: string): void => {
    if (level !== "warning") problems.push(message);
  };
  try {
    const root = new DOMParser({ onError, locator: false }).parseFromString(text, "text/xml").documentElement;
    const [problem] = problems;
    if (problem !== undefined) throw wrong(`not well-formed XML: ${problem}`);
    if (root?.tagName !== "bmap") throw wrong("not a block map: no <bmap>");
    return root;
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    throw wrong(`not well-formed XML: ${cause.message}`);
  }
}

function elementsOf(parent: Element, tag: string): Element[] {
  return [...parent.childNodes].filter(
    // Checked boundary: a node with a tag name is an element.
    (node): node is Element => "tagName" in node && node.tagName === tag,
  );
}

function textOf(root: Element, tag: string, wrong: Wrong): string {
  const [element, ...more] = elementsOf(root, tag);
  if (element === undefined) throw wrong(`no <${tag}>`);
  if (more.length > 0) throw wrong(`more than one <${tag}>`);
  return (element.textContent ?? "").trim();
}

/** The sum is that of the file in which the sum itself is written as zeros. */
function checkOwnSum(text: string, promised: string, type: ChecksumType, wrong: Wrong): void {
  if (!isSumOf(promised, type))
    throw wrong(`its own checksum is no ${type} in hexadecimal: ${JSON.stringify(promised)}`);
  const ownSum = new RegExp(`(<BmapFile[A-Za-z0-9]*>\\s*)${promised}`, "i");
  const zeroed = text.replace(ownSum, (_, before: string) => before.concat("0".repeat(promised.length)));
  if (createHash(type).update(zeroed).digest("hex") !== promised)
    throw wrong("its content does not match its own checksum: it was changed or is cut short");
}

function isSumOf(text: string, type: ChecksumType): boolean {
  return text.length === createHash(type).digest("hex").length && /^[0-9a-f]+$/.test(text);
}

interface RangeFacts {
  readonly attribute: string;
  readonly checksumType: ChecksumType;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly blocks: number;
}

function rangesOf(
  root: Element,
  { attribute, checksumType, sizeBytes, blockBytes, blocks }: RangeFacts,
  wrong: Wrong,
): BmapRange[] {
  const maps = elementsOf(root, "BlockMap");
  const [map] = maps;
  if (map === undefined || maps.length > 1) throw wrong(`one <BlockMap> was expected, found ${maps.length}`);
  let next = 0;
  return elementsOf(map, "Range").map((element) => {
    const range = (element.textContent ?? "").trim();
    const [, from = "", to = from] = /^(\d{1,15})(?:\s*-\s*(\d{1,15}))?$/.exec(range) ?? [];
    if (from === "") throw wrong(`a range is not of the form FIRST-LAST: ${JSON.stringify(range)}`);
    const first = Number(from);
    const last = Number(to);
    if (first < next || last < first)
      throw wrong(`the range ${range} is out of order or overlaps the one before it`);
    if (last >= blocks) throw wrong(`the range ${range} ends behind the last block, ${blocks - 1}`);
    next = last + 1;
    const checksum = element.getAttribute(attribute)?.toLowerCase() ?? null;
    if (checksum !== null && !isSumOf(checksum, checksumType))
      throw wrong(
        `the checksum of ${range} is no ${checksumType} in hexadecimal: ${JSON.stringify(checksum)}`,
      );
    const offsetBytes = first * blockBytes;
    return { ...extent(offsetBytes, Math.min(sizeBytes, next * blockBytes) - offsetBytes), checksum };
  });
}

/** Writes a block map of format 2.0 with SHA-256; ranges begin on blocks. */
export function renderBmap({ sizeBytes, blockBytes, ranges }: Omit<Bmap, "checksumType">): string {
  const blockOf = (bytes: number): number => Math.ceil(bytes / blockBytes);
  const mapped = ranges.reduce((sum, { lengthBytes }) => sum + blockOf(lengthBytes), 0);
  const unknown = "0".repeat(64);
  const text = [
    '<?xml version="1.0" ?>',
    "<!-- Which blocks of the image have to be written, and what they have to be: bmaptool copy IMAGE DEVICE -->",
    '<bmap version="2.0">',
    `  <ImageSize> ${sizeBytes} </ImageSize>`,
    `  <BlockSize> ${blockBytes} </BlockSize>`,
    `  <BlocksCount> ${blockOf(sizeBytes)} </BlocksCount>`,
    `  <MappedBlocksCount> ${mapped} </MappedBlocksCount>`,
    "  <ChecksumType> sha256 </ChecksumType>",
    `  <BmapFileChecksum> ${unknown} </BmapFileChecksum>`,
    "  <BlockMap>",
    ...ranges.map(({ offsetBytes, lengthBytes, checksum }) => {
      const first = offsetBytes / blockBytes;
      const last = blockOf(offsetBytes + lengthBytes) - 1;
      return `    <Range chksum="${checksum}"> ${first === last ? first : `${first}-${last}`} </Range>`;
    }),
    "  </BlockMap>",
    "</bmap>",
    "",
  ].join("\n");
  return text.replace(unknown, createHash("sha256").update(text).digest("hex"));
}
