import { pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { BerryError } from "../../core/errors.ts";
import type { WifiSettings } from "../../config/cluster.ts";
import type { WriteWifi } from "../step.ts";
import { wpaSupplicantConf } from "../formats/wpa-supplicant-conf.ts";
import { writeInRoot } from "./files.ts";
import { firstLine } from "./run.ts";

export async function writeWifi(step: WriteWifi): Promise<void> {
  const content = wpaSupplicantConf(step.wifi, await keyOf(step.wifi));
  await writeInRoot({ root: step.root, path: step.path, content, mode: 0o600, owner: "0:0" });
}

async function keyOf(wifi: WifiSettings): Promise<string> {
  switch (wifi.security) {
    case "open":
      return "";
    case "wpa2":
      return await pairwiseMasterKey(wifi);
    case "wpa3":
      return await passphraseOf(wifi);
  }
}

/** The 256-bit key of a passphrase, 64 hexadecimal digits (IEEE 802.11-2020, J.4.1); a key given as such is kept. */
export async function pairwiseMasterKey(wifi: Pick<WifiSettings, "ssid" | "pskFile">): Promise<string> {
  const passphrase = await passphraseOf(wifi);
  if (/^[0-9a-fA-F]{64}$/.test(passphrase)) return passphrase.toLowerCase();
  const key = await promisify(pbkdf2)(passphrase, Buffer.from(wifi.ssid, "utf8"), 4096, 32, "sha1");
  return key.toString("hex");
}

async function passphraseOf(wifi: Pick<WifiSettings, "ssid" | "pskFile">): Promise<string> {
  if (wifi.pskFile === null) throw new BerryError("config", `wifi ${wifi.ssid} names no psk_file`);
  return await firstLine(wifi.pskFile);
}
