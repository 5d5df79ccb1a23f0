/**
 * Whether the words are those with which systemd starts the daemon. Anything else goes through the command line.
 * @returns null: not the daemon; otherwise its configuration, if one is named
 */
export function daemonWords(words: readonly string[]): { readonly config: string | undefined } | null {
  const [group, verb, flag, config, ...rest] = words;
  if (group !== "fand" || verb !== "run" || rest.length > 0) return null;
  if (flag === undefined) return { config: undefined };
  return flag === "--config" && config !== undefined && !config.startsWith("-") ? { config } : null;
}
