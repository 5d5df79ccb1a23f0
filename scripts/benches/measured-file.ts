import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../src/fand/daemon/run-folder-file.ts";
import { type Measured, measuredText, nothingMeasured, parseMeasured } from "./measured.ts";
import { renderDocument, renderReadmeBlock, withReadmeBlock } from "./measured-document.ts";

/** The files of one document. */
export interface MeasuredFiles {
  /** Markdown. */
  readonly document: string;
  /** What the document is rendered from. */
  readonly data: string;
  /** What is finished of a run that is not. */
  readonly parts: string;
  /** Whose block between the markers is the document's, too; null: nobody's. */
  readonly readme: string | null;
}

const house = join(import.meta.dirname, "../..");

/** Those of the repository. */
export const ownFiles: MeasuredFiles = {
  ...filesBeside(join(house, "docs/measured.md")),
  readme: join(house, "README.md"),
};

/** Where quick runs go. */
export const quickFiles: MeasuredFiles = filesBeside(join(house, "dist/measured-quick.md"));

/** @param document ends in `.md` */
export function filesBeside(document: string): MeasuredFiles {
  const stem = document.replace(/\.md$/, "");
  return { document, data: `${stem}.json`, parts: `${stem}.parts.json`, readme: null };
}

/** Nothing, where there is no such file. @throws Error that names the file where it is none of ours */
export async function readMeasured(path: string): Promise<Measured> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return nothingMeasured;
    throw cause;
  }
  try {
    return parseMeasured(text);
  } catch (cause) {
    throw new Error(`${path} was not written by scripts/bench: ${String(cause)}`, { cause });
  }
}

export function keepParts({ parts }: MeasuredFiles, measured: Measured): void {
  replaceFile(parts, measuredText(measured));
}

/** What was kept of a run that has come to its end is of no more use. */
export async function forgetParts({ parts }: MeasuredFiles): Promise<void> {
  await rm(parts, { force: true });
}

/** @returns the files that were written, each of them in one step */
export async function writeMeasured(files: MeasuredFiles, measured: Measured): Promise<string[]> {
  // all is rendered before anything is written
  const document = renderDocument(measured);
  const readme =
    files.readme === null
      ? null
      : withReadmeBlock(await readFile(files.readme, "utf8"), renderReadmeBlock(measured));
  replaceFile(files.data, measuredText(measured));
  replaceFile(files.document, document);
  if (files.readme === null || readme === null) return [files.data, files.document];
  replaceFile(files.readme, readme);
  return [files.data, files.document, files.readme];
}
