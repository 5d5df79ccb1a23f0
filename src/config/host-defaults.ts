import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { checkUserName } from "./names.ts";
import { checkPublicKey, keyLinesOf } from "./public-key.ts";
import { checkCountry, checkKeymap, checkLocale, checkTimezone } from "./region.ts";

/** What a new cluster takes over from the machine that it is described on; every value is valid. */
export interface HostDefaults {
  readonly timezone: string;
  readonly locale: string;
  readonly keymap: string;
  /** Of the locale; null when it names none. */
  readonly country: string | null;
  readonly userName: string;
  /** Public keys in ~/.ssh, the best one first, as berry.toml may name them. */
  readonly publicKeys: readonly string[];
}

/** Where the machine says so. */
export interface HostSources {
  readonly home: string;
  /** The folder that is /etc. */
  readonly etc: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timezone: string;
}

export function hostSources(): HostSources {
  return {
    home: homedir(),
    etc: "/etc",
    environment: process.env,
    timezone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** Reads the machine's own settings; what is missing or strange is replaced by a plain default. */
export async function readHostDefaults(sources: HostSources): Promise<HostDefaults> {
  const { environment } = sources;
  const names = [environment["SUDO_USER"], environment["USER"], environment["LOGNAME"]];
  const locale = await findLocale(sources);
  const country = /^[a-z]+_([A-Z]{2})\./.exec(locale)?.[1];
  return {
    timezone: checkTimezone(sources.timezone) === null ? sources.timezone : "UTC",
    locale,
    keymap: await findKeymap(sources),
    country: country !== undefined && checkCountry(country) === null ? country : null,
    userName: names.find((name) => name !== undefined && checkUserName(name) === null) ?? "pi",
    publicKeys: await findPublicKeys(join(sources.home, ".ssh")),
  };
}

async function findLocale({ etc, environment }: HostSources): Promise<string> {
  const candidates = [
    environment["LC_ALL"],
    environment["LANG"],
    readSetting(await read(join(etc, "locale.conf")), "LANG"),
    readSetting(await read(join(etc, "default", "locale")), "LANG"),
  ];
  const spelled = candidates.map((locale) => locale?.replace(/\.utf-?8/i, ".UTF-8"));
  return spelled.find((locale) => locale !== undefined && checkLocale(locale) === null) ?? "C.UTF-8";
}

/** Console keymaps are named like X layouts, but for the British one. */
async function findKeymap({ etc }: HostSources): Promise<string> {
  const layout = readSetting(await read(join(etc, "default", "keyboard")), "XKBLAYOUT")?.split(",")[0];
  const candidates = [
    readSetting(await read(join(etc, "vconsole.conf")), "KEYMAP"),
    layout === "gb" ? "uk" : layout,
  ];
  return candidates.find((keymap) => keymap !== undefined && checkKeymap(keymap) === null) ?? "us";
}

const preference = ["ed25519_sk", "ed25519", "ecdsa_sk", "ecdsa", "rsa"].map((type) => `id_${type}.pub`);

async function findPublicKeys(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const keys: string[] = [];
  for (const name of names.filter((each) => each.endsWith(".pub")).toSorted()) {
    const lines = keyLinesOf(await read(join(folder, name)));
    if (lines.length > 0 && lines.every((line) => checkPublicKey(line) === null)) keys.push(name);
  }
  const rank = (name: string) => (preference.includes(name) ? preference.indexOf(name) : preference.length);
  return keys.toSorted((one, other) => rank(one) - rank(other)).map((name) => `~/.ssh/${name}`);
}

/** The value of a `KEY=value` or `KEY="value"` line, as os-release(5) writes them; undefined when empty. */
function readSetting(text: string, key: string): string | undefined {
  const value = new RegExp(`^${key}=["']?([^"'\\n]*)["']?\\s*$`, "m").exec(text)?.[1];
  return value === "" ? undefined : value;
}

async function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
