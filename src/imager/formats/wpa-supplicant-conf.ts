import type { WifiSettings } from "../../config/cluster.ts";

/**
 * wpa_supplicant.conf(5) for one network. The SSID is written in hexadecimal, as any byte may stand in it.
 *
 * @param key 64 hexadecimal digits for wpa2, the passphrase for wpa3, of no account for an open network
 */
export function wpaSupplicantConf(wifi: WifiSettings, key: string): string {
  return [
    "ctrl_interface=DIR=/run/wpa_supplicant GROUP=root",
    "update_config=0",
    `country=${wifi.country}`,
    "",
    "network={",
    `\tssid=${Buffer.from(wifi.ssid, "utf8").toString("hex")}`,
    ...(wifi.hidden ? ["\tscan_ssid=1"] : []),
    ...security(wifi, key).map((line) => `\t${line}`),
    "}",
    "",
  ].join("\n");
}

/** WPA2 gets the derived key; WPA3-SAE derives per session and needs the passphrase itself. */
function security(wifi: WifiSettings, key: string): string[] {
  switch (wifi.security) {
    case "open":
      return ["key_mgmt=NONE"];
    case "wpa2":
      return ["key_mgmt=WPA-PSK WPA-PSK-SHA256", `psk=${key}`];
    case "wpa3":
      // the text between the first and the last quotation mark is read as it stands
      return ["key_mgmt=SAE", "ieee80211w=2", `sae_password="${key}"`];
  }
}
