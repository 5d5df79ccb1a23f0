import { join } from "node:path";
import type { Cluster } from "../../../config/cluster.ts";
import { BerryError } from "../../../core/errors.ts";
import { nearest } from "../../../core/nearest.ts";

/** What was typed: an image and the disk that is to have it. */
export interface Pair {
  /** A node's name or a file. */
  readonly image: string;
  readonly device: string;
}

/** @throws BerryError `usage` when something has no partner, or stands in the wrong place */
export function parsePairs(words: readonly string[]): Pair[] {
  const pairs: Pair[] = [];
  for (let index = 0; index < words.length; index += 2) {
    const [image = "", device] = words.slice(index, index + 2);
    if (device === undefined) {
      throw new BerryError("usage", `'${image}' has no partner: after each image comes its device`, {
        hint: "berry imager write pi1 /dev/sdX; berry imager devices lists the cards",
      });
    }
    if (image.startsWith("/dev/") && !device.startsWith("/dev/")) {
      throw new BerryError("usage", `'${image} ${device}' is the wrong way round: the image comes first`, {
        hint: `berry imager write ${device} ${image}`,
      });
    }
    pairs.push({ image, device });
  }
  return pairs;
}

/** Whether a word can be the name of a node; what has a slash or a dot is a file. */
export function mayBeNode(word: string): boolean {
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(word);
}

/**
 * The path of the image that a word means: a node's, or a file.
 *
 * @param isFile whether the word, as a path, names something that exists
 * @param cluster null: there is no berry.toml
 * @throws BerryError `usage` when it is both or neither
 */
export function imagePath(word: string, isFile: boolean, cluster: Cluster | null): string {
  const node = mayBeNode(word) ? cluster?.nodes.find(({ name }) => name === word) : undefined;
  if (node !== undefined && isFile) {
    throw new BerryError("usage", `'${word}' is a node of ${cluster?.file} and a file of this folder`, {
      hint: `./${word} means the file; move the file away if the node is meant`,
    });
  }
  if (node !== undefined && cluster !== null) return join(cluster.outputDirectory, `${node.name}.img`);
  if (isFile || word.includes("/")) return word;
  if (cluster === null) {
    throw new BerryError("no-input", `there is no file '${word}', and no berry.toml that could name a node`, {
      hint: "go to the folder of berry.toml, name it with --file, or name an image by its path",
    });
  }
  const names = cluster.nodes.map(({ name }) => name);
  const match = nearest(word, names);
  throw new BerryError("usage", `'${word}' is no node of ${cluster.file}, and no file`, {
    hint: match === undefined ? `its nodes are ${names.join(", ")}` : `did you mean ${match}?`,
  });
}

/** All problems as one; nothing happens where there are none. The first one's kind decides the exit code. */
export function refuseAll(problems: readonly BerryError[]): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  const lines = problems.map(
    ({ message, hint }) =>
      `  ${message}${hint === undefined ? "" : `\n    ${hint.replaceAll("\n", "\n    ")}`}`,
  );
  throw new BerryError(
    first.kind,
    `nothing was written, for ${problems.length} reasons:\n${lines.join("\n")}`,
  );
}
