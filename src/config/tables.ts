import * as z from "zod";
import { checkDnsAddress, checkHostAddress, checkServerAddress } from "./addresses.ts";
import {
  checkConfigLine,
  checkImagePath,
  checkKernelWord,
  checkMirror,
  checkShell,
  parseMode,
  parseSize,
} from "./image-values.ts";
import {
  checkGroupName,
  checkHostName,
  checkOwner,
  checkPackageName,
  checkRole,
  checkTarget,
  checkUnitName,
  checkUserName,
  withUnitType,
} from "./names.ts";
import type { Misplaced } from "./parse-table.ts";
import type { Check, Flaw } from "./problem.ts";
import { checkCountry, checkKeymap, checkLocale, checkTimezone } from "./region.ts";
import { checkCryptHash, checkSsid } from "./secrets.ts";

/** The keys of each table of berry.toml. What two keys, two nodes or the host must agree on is checked later. */

const text = (check: Check) =>
  z.string().superRefine((value, context) => {
    const flaw = check(value);
    if (flaw !== null) context.addIssue({ code: "custom", params: { flaw } });
  });

const number = (parse: (value: unknown) => number | Flaw) =>
  z.unknown().transform((value, context): number => {
    const parsed = parse(value);
    if (typeof parsed === "number") return parsed;
    context.issues.push({ code: "custom", params: { flaw: parsed }, input: value });
    return z.NEVER;
  });

/** A path on the host, resolved later. */
const hostPath = text((path) => {
  if (path === "")
    return { problem: "an empty path", remedy: "name what it leads to, relative to this file" };
  return /[\0\n\r]/.test(path)
    ? { problem: "a control character in a path", found: null, remedy: "use printable characters" }
    : null;
});

/** A string beside secrets: what stands in its place may be the secret itself, and is not shown. */
const unshown = (schema: z.ZodType<string>) =>
  z.unknown().transform((value, context): string => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const flaw: Flaw =
      issue?.code === "custom"
        ? issue.params?.["flaw"]
        : { problem: "must be a string", remedy: "write it between quotes" };
    context.issues.push({ code: "custom", params: { flaw: { found: null, ...flaw } }, input: undefined });
    return z.NEVER;
  });

export const clusterShape = { name: text(checkHostName) };

export const fileShape = {
  source: hostPath,
  path: text(checkImagePath),
  mode: number(parseMode),
  owner: text(checkOwner),
  group: text(checkOwner),
  secret: z.boolean(),
};

export const nodeImageShape = {
  mirror: text(checkMirror),
  timezone: text(checkTimezone),
  locale: text(checkLocale),
  locales: z.array(text(checkLocale)),
  keymap: text(checkKeymap),
  packages: z.array(text(checkPackageName)),
  services: z.array(text(checkUnitName).transform(withUnitType)),
  files: z.array(z.unknown()),
  script: hostPath,
  config_txt: z.array(text(checkConfigLine)),
  cmdline: z.array(text(checkKernelWord)),
  margin: number(parseSize),
};

export const imageShape = { target: text(checkTarget), output: hostPath, ...nodeImageShape };

export const userShape = {
  name: text(checkUserName),
  password_file: unshown(hostPath),
  password_hash: unshown(text(checkCryptHash)),
  authorized_keys: z.array(z.string()),
  groups: z.array(text(checkGroupName)),
  sudo: z.preprocess(
    (value) => (value === true ? "password" : value === false ? "none" : value),
    z.enum(["password", "no-password", "none"]),
  ),
  shell: text(checkShell),
};

/** A folder on the host, resolved later, or `false`. */
const folderOrFalse = z.unknown().transform((value, context): string | false => {
  if (value === false) return false;
  const parsed = hostPath.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const flaw: Flaw =
    issue?.code === "custom"
      ? issue.params?.["flaw"]
      : { problem: "neither a folder nor false", remedy: "name a folder between quotes, or write false" };
  context.issues.push({ code: "custom", params: { flaw }, input: value });
  return z.NEVER;
});

export const sshShape = { password_login: z.boolean(), host_keys: folderOrFalse };

export const networkShape = {
  address: z.preprocess(
    (value) => (typeof value === "string" ? [value] : value),
    z.array(text(checkHostAddress)),
  ),
  gateway: text(checkServerAddress),
  dns: z.array(text(checkDnsAddress)),
};

export const wifiShape = {
  ssid: text(checkSsid),
  psk_file: unshown(hostPath),
  security: z.enum(["wpa2", "wpa3", "open"]),
  store_passphrase: z.boolean(),
  hidden: z.boolean(),
  country: text(checkCountry),
};

export const nodeShape = { name: text(checkHostName), role: text(checkRole) };

const inFile = (key: string, path: string): Misplaced => ({
  meant: key,
  problem: "secrets live in files of their own, never in this one",
  found: null,
  remedy: `write it to a file that only you can read (chmod 600) and name that: ${key} = "${path}"`,
});

/** Keys that are no keys, but whose meaning is plain enough to say more than `unknown key`. */
export const misplacedKeys: Readonly<Record<string, Readonly<Record<string, Misplaced>>>> = {
  user: {
    password: inFile("password_file", "secret/password"),
    passwd: inFile("password_file", "secret/password"),
    pass: inFile("password_file", "secret/password"),
  },
  wifi: {
    psk: inFile("psk_file", "secret/wifi"),
    passphrase: inFile("psk_file", "secret/wifi"),
    password: inFile("psk_file", "secret/wifi"),
    key: inFile("psk_file", "secret/wifi"),
  },
  "node.image": {
    target: { problem: "a cluster has one target", found: null, remedy: "set it once, in the top [image]" },
    output: {
      problem: "a cluster has one output folder",
      found: null,
      remedy: "set it once, in the top [image]",
    },
  },
};
