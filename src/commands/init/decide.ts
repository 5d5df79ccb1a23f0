import { passwordFrom } from "../../config/random-password.ts";
import type { HostDefaults } from "../../config/host-defaults.ts";
import { checkHostName, checkUserName } from "../../config/names.ts";
import type { Check } from "../../config/problem.ts";
import { checkCountry, checkKeymap, checkLocale, checkTimezone } from "../../config/region.ts";
import type { ClusterAnswers, WifiAnswers } from "../../config/render-cluster.ts";
import { checkPasswordFile, checkPskFile, checkSsid } from "../../config/secrets.ts";
import type { Asker } from "./asker.ts";
import { checkNodeNames, expandNodeNames } from "./node-names.ts";

/** What the command line says; valid. Paths are as berry.toml is to name them. */
export interface Given {
  readonly name: string | undefined;
  readonly nodes: readonly string[] | undefined;
  readonly target: string | undefined;
  readonly user: string | undefined;
  readonly key: string | undefined;
  readonly passwordFile: string | undefined;
  readonly timezone: string | undefined;
  readonly locale: string | undefined;
  readonly keymap: string | undefined;
  readonly ssid: string | undefined;
  readonly pskFile: string | undefined;
  readonly country: string | undefined;
}

export interface Decision {
  readonly answers: ClusterAnswers;
  /** To be written to a file of its own; null: the user has one. */
  readonly password: string | null;
  readonly isPasswordRandom: boolean;
  /** To be written to a file of its own; null: none, or the user has one. */
  readonly passphrase: string | null;
}

export const secretPaths = { password: "secret/password", passphrase: "secret/wifi" };

const noKey = "none: a password alone";
const defaults = { name: "berry", nodes: ["pi1"], target: "archlinuxarm-rpi-aarch64" };

/** Takes the default for everything that the command line leaves open. */
export function decideByDefault(given: Given, host: HostDefaults, random: Uint8Array): Decision {
  const keys = given.key === undefined ? host.publicKeys.slice(0, 1) : [given.key];
  const wifi =
    given.ssid === undefined
      ? null
      : { ssid: given.ssid, pskFile: given.pskFile ?? null, country: given.country ?? host.country ?? "" };
  return {
    answers: {
      name: given.name ?? defaults.name,
      nodes: given.nodes ?? defaults.nodes,
      target: given.target ?? defaults.target,
      user: given.user ?? host.userName,
      passwordFile: given.passwordFile ?? secretPaths.password,
      authorizedKeys: keys,
      wifi,
      timezone: given.timezone ?? host.timezone,
      locale: given.locale ?? host.locale,
      keymap: given.keymap ?? host.keymap,
    },
    password: given.passwordFile === undefined ? passwordFrom(random) : null,
    isPasswordRandom: given.passwordFile === undefined,
    passphrase: null,
  };
}

/** Asks for everything that the command line leaves open. */
export async function decideByAsking(
  given: Given,
  host: HostDefaults,
  targets: readonly string[],
  random: Uint8Array,
  asker: Asker,
): Promise<Decision> {
  const preset = decideByDefault(given, host, random);
  const { answers } = preset;
  const text = async (known: string | undefined, question: string, suggestion: string, check: Check) =>
    known ?? (await asker.text(question, suggestion, check));
  const name = await text(given.name, "Name of the cluster", answers.name, checkHostName);
  const nodes =
    given.nodes ??
    expandNodeNames(
      await asker.text("Nodes: how many, or their names", answers.nodes.join(","), checkNodeNames),
    );
  const target = given.target ?? (await asker.choose("Image target", targets));
  const user = await text(given.user, "User to create on every node", answers.user, checkUserName);
  const authorizedKeys =
    given.key === undefined ? await askKey(host.publicKeys, asker) : answers.authorizedKeys;
  const typed = given.passwordFile === undefined ? await askPassword(user, asker) : null;
  const wifi = await askWifi(given, host, asker);
  return {
    answers: {
      ...answers,
      name,
      nodes,
      target,
      user,
      authorizedKeys,
      wifi: wifi.answers,
      timezone: await text(given.timezone, "Time zone", answers.timezone, checkTimezone),
      locale: await text(given.locale, "Locale", answers.locale, checkLocale),
      keymap: await text(given.keymap, "Keymap of the console", answers.keymap, checkKeymap),
    },
    password: typed ?? preset.password,
    isPasswordRandom: typed === null && preset.isPasswordRandom,
    passphrase: wifi.passphrase,
  };
}

async function askKey(publicKeys: readonly string[], asker: Asker): Promise<readonly string[]> {
  if (publicKeys.length === 0) return [];
  const chosen = await asker.choose("Public key for ssh", [...publicKeys, noKey]);
  return chosen === noKey ? [] : [chosen];
}

/** null: a random one is wanted. */
async function askPassword(user: string, asker: Asker): Promise<string | null> {
  const password = await asker.secret(`Password of ${user} (not shown; empty: a random one)`, (typed) =>
    typed === "" ? null : checkPasswordFile(typed),
  );
  if (password === "") return null;
  await asker.secret("The same again", (again) =>
    again === password
      ? null
      : {
          problem: "the two passwords differ",
          remedy: "type the first one again, or start over with Ctrl-C",
        },
  );
  return password;
}

async function askWifi(
  given: Given,
  host: HostDefaults,
  asker: Asker,
): Promise<{ answers: WifiAnswers | null; passphrase: string | null }> {
  const ssid =
    given.ssid ??
    (await asker.text("Wi-Fi network (empty: none)", "", (typed) =>
      typed === "" ? null : checkSsid(typed),
    ));
  if (ssid === "") return { answers: null, passphrase: null };
  const typed =
    given.pskFile === undefined
      ? await asker.secret("Passphrase of the network (not shown; empty: an open network)", (text) =>
          text === "" ? null : checkPskFile(text, "wpa2"),
        )
      : "";
  const country =
    given.country ??
    (await asker.text("Country of the radio (two letters)", host.country ?? "", checkCountry));
  const pskFile = given.pskFile ?? (typed === "" ? null : secretPaths.passphrase);
  return { answers: { ssid, pskFile, country }, passphrase: typed === "" ? null : typed };
}
