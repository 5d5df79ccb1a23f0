import { lstatSync } from "node:fs";
import type { VerbContext } from "../../cli/verb.ts";
import { printable } from "../../core/printable.ts";
import type { NodeUser } from "../../probe/formats/rendered.ts";
import type { Row } from "../../probe/row.ts";
import type { FindOptions, Format } from "./find-options.ts";
import { render } from "./render.ts";

/**
 * Prints the rows, or writes them into the file; tells whom the format has no room for.
 * @param isAnybodyFound where nobody is, a file that is there stays as it is
 */
export async function presentRows(
  { stdout, log }: Pick<VerbContext, "stdout" | "log">,
  { format, file }: FindOptions,
  rows: readonly Row[],
  users: readonly NodeUser[],
  isAnybodyFound: boolean,
): Promise<void> {
  if (file !== null) {
    if (!isAnybodyFound && keepsFile(file, log)) return;
    const { isWritten, told } = await writeRows(file, format, rows, users, log);
    if (!isWritten) log.info(`unchanged: ${told}`);
    return;
  }
  const { text, leftOut } = await render(format, rows, users, stdout);
  for (const who of leftOut) log.warn(`left out ${who}`);
  stdout.write(text);
}

/**
 * Says so where there is a file: the network may be out of order, and who reads the file needs the nodes that it has.
 * @returns whether there is one
 */
export function keepsFile(file: string, log: VerbContext["log"]): boolean {
  const isThere = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  if (isThere) log.info(`left as it is: ${printable(file)}: no node was found`);
  return isThere;
}

/**
 * Writes the rows into a file, and tells of it when that changes the file.
 * @throws BerryError `cannot-create`
 */
export async function writeRows(
  file: string,
  format: Format,
  rows: readonly Row[],
  users: readonly NodeUser[],
  log: VerbContext["log"],
): Promise<{ readonly isWritten: boolean; readonly told: string }> {
  const { writeChangedText } = await import("../../probe/formats/changed-file.ts");
  const { text, leftOut } = await render(format, rows, users, null);
  const isWritten = await writeChangedText(file, text);
  const told = `${printable(file)}: ${rows.length === 1 ? "1 node" : `${rows.length} nodes`}`;
  if (!isWritten) return { isWritten, told };
  log.info(`wrote ${told}${leftOut.length === 0 ? "" : `, ${leftOut.length} of them left out`}`);
  for (const who of leftOut) log.warn(`left out ${who}`);
  return { isWritten, told };
}
