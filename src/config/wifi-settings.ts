import type { WifiSettings } from "./cluster.ts";
import { readSecretText, type Surroundings } from "./host-path.ts";
import type { Merged } from "./merge-node.ts";
import { checkPskFile } from "./secrets.ts";
import type { wifiShape } from "./tables.ts";

type Wifi = Merged<typeof wifiShape>;

/** The wireless network of a node. What is wrong goes to the diagnosis; the value counts only when nothing was. */
export async function wifiSettings(wifi: Wifi, around: Surroundings): Promise<WifiSettings> {
  const { values } = wifi;
  require(wifi, "ssid", 'give the name of the network: ssid = "home"', around);
  require(wifi, "country", 'say where the node stands, so that the radio keeps to its rules: country = "CN"', around);
  const security = values.security ?? "wpa2";
  const file = values.psk_file;
  let pskFile: string | null = null;
  if (security === "open") {
    if (file !== undefined) {
      const remedy = 'remove psk_file, or set security = "wpa2"';
      around.diagnosis.add(
        wifi.keyOf("psk_file"),
        { problem: "an open network has no passphrase", remedy },
        file,
      );
    }
  } else {
    if (!wifi.failed("security")) {
      const remedy =
        'write the passphrase to a file and name that: psk_file = "secret/wifi"; or set security = "open"';
      require(wifi, "psk_file", remedy, around);
    }
    if (file !== undefined) {
      pskFile = around.files.resolve(around.folder, file);
      const text = await readSecretText(pskFile, wifi.keyOf("psk_file"), file, around);
      const flaw = text === null || wifi.failed("security") ? null : checkPskFile(text, security);
      if (flaw !== null) around.diagnosis.add(wifi.keyOf("psk_file"), flaw, undefined);
    }
  }
  checkStorage(wifi, security, around);
  return {
    ssid: values.ssid ?? "",
    pskFile,
    security,
    hidden: values.hidden ?? false,
    country: values.country ?? "",
  };
}

function require(
  wifi: Wifi,
  key: "ssid" | "country" | "psk_file",
  remedy: string,
  around: Surroundings,
): void {
  if (wifi.values[key] !== undefined || wifi.failed(key)) return;
  around.diagnosis.add(wifi.keyOf(key), { problem: "missing", found: null, remedy }, undefined);
}

/** WPA2 gets by with the PSK that is derived from the passphrase; SAE (WPA3) computes with the passphrase itself. */
function checkStorage(wifi: Wifi, security: WifiSettings["security"], around: Surroundings): void {
  const stored = wifi.values.store_passphrase;
  const key = wifi.keyOf("store_passphrase");
  if (security === "wpa3" && stored !== true && !wifi.failed("store_passphrase")) {
    around.diagnosis.add(
      key,
      {
        problem: "wpa3 needs the passphrase itself on the card, because SAE computes every handshake from it",
        remedy: 'agree with store_passphrase = true, or use security = "wpa2", which gets a derived key',
        ...(stored === undefined ? { found: null } : {}),
      },
      stored,
    );
  }
  if (security !== "wpa3" && stored === true && !wifi.failed("security")) {
    around.diagnosis.warn(key, `store_passphrase has no effect with security = "${security}"`, "remove it");
  }
}
