import type { VerbContext } from "../../cli/verb.ts";
import type { NodeUser } from "../../probe/formats/rendered.ts";
import type { Row } from "../../probe/row.ts";
import type { FindOptions } from "./find-options.ts";
import { render } from "./render.ts";

/** Prints the rows, or writes them into the file; tells whom the format has no room for. */
export async function presentRows(
  { stdout, log }: Pick<VerbContext, "stdout" | "log">,
  { format, file }: FindOptions,
  rows: readonly Row[],
  users: readonly NodeUser[],
): Promise<void> {
  const { text, leftOut } = await render(format, rows, users, file === null ? stdout : null);
  for (const who of leftOut) log.warn(`left out ${who}`);
  if (file === null) stdout.write(text);
  else {
    const { writeChangedText } = await import("../../probe/formats/changed-file.ts");
    const isWritten = await writeChangedText(file, text);
    log.info(`${isWritten ? "wrote" : "unchanged:"} ${file}: ${rows.length - leftOut.length} nodes`);
  }
}
