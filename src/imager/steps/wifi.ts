import { pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { BerryError } from "../../core/errors.ts";
import type { WifiSettings } from "../../config/cluster.ts";
import type { WriteWifi } from "../step.ts";
import { writeInRoot } from "./files.ts";
import { firstLine } from "./run.ts";

export async function writeWifi(step: WriteWifi): Promise<void> {
  const content = await wpaSupplicantConf(step.wifi);
  await writeInRoot({ root: step.root, path: step.path, content, mode: 0o600, owner: "0:0" });
}

/**
 * wpa_supplicant.conf(5) for one network. The SSID is written in hexadecimal, as any byte may stand in it.
 * WPA2 gets the derived key; WPA3-SAE derives per session and needs the passphrase itself.
 */
async function wpaSupplicantConf(wifi: WifiSettings): Promise<string> {
  return [
    "ctrl_interface=DIR=/run/wpa_supplicant GROUP=root",
    "update_config=0",
    `country=${wifi.country}`,
    "",
    "network={",
    `\tssid=${Buffer.from(wifi.ssid, "utf8").toString("hex")}`,
    ...(wifi.hidden ? ["\tscan_ssid=1"] : []),
    ...(await security(wifi)).map((line) => `\t${line}`),
    "}",
    "",
  ].join("\n");
}

async function security(wifi: WifiSettings): Promise<string[]> {
  switch (wifi.security) {
    case "open":
      return ["key_mgmt=NONE"];
    case "wpa2":
      return ["key_mgmt=WPA-PSK WPA-PSK-SHA256", `psk=${await pairwiseMasterKey(wifi)}`];
    case "wpa3":
      return ["key_mgmt=SAE", "ieee80211w=2", `sae_password=${quoted(await passphraseOf(wifi))}`];
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

/** wpa_supplicant reads the text between the first and the last quotation mark as it stands. */
function quoted(text: string): string {
  return `"${text}"`;
}
