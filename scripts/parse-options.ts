import { parseArgs, type ParseArgsConfig } from "node:util";

/**
 * node's parseArgs, in one clause where it refuses.
 * @throws Error that says what is wrong with the words
 */
export function parseOptions<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (thrown) {
    throw new Error(plain(thrown instanceof Error ? thrown.message : String(thrown)), { cause: thrown });
  }
}

/** Without node's advice on `--`. */
function plain(message: string): string {
  const [first = message] = message.split(/\.\s|\.?\n|\.$/);
  return first.charAt(0).toLowerCase() + first.slice(1);
}
