import { readdir } from "node:fs/promises";
import { isMissing } from "../../core/errors.ts";

/** Names in a folder; none where there is no folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
