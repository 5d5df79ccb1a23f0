import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { pairwiseMasterKey } from "../../../../src/imager/steps/wifi.ts";
import { wpaSupplicantConf } from "../../../../src/imager/formats/wpa-supplicant-conf.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-wifi-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function keyOf(ssid: string, content: string): Promise<string> {
  const pskFile = join(folder, "psk");
  await writeFile(pskFile, content);
  return await pairwiseMasterKey({ ssid, pskFile });
}

describe("the key of a wireless network", () => {
  // IEEE 802.11-2020, J.4.2
  test.each([
    ["IEEE", "password", "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"],
    ["ThisIsASSID", "ThisIsAPassword", "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"],
    ["Z".repeat(32), "a".repeat(32), "becb93866bb8c3832cb777c2f559807c8c59afcb6eae734885001300a981cc62"],
  ])("of %s is the standard's", async (ssid, passphrase, key) => {
    expect(await keyOf(ssid, `${passphrase}\n`)).toBe(key);
    expect(await keyOf(ssid, passphrase)).toBe(key);
    expect(await keyOf(ssid, `${passphrase}\r\nanother line\n`)).toBe(key);
  });
  test("is kept where the file has it already", async () => {
    expect(await keyOf("home", `${"0123456789ABCDEF".repeat(4)}\n`)).toBe("0123456789abcdef".repeat(4));
  });
  test("of a network without a file is an error", async () => {
    expect(await failureOf(pairwiseMasterKey({ ssid: "home", pskFile: null }))).toMatchObject({
      kind: "config",
    });
    expect(await failureOf(pairwiseMasterKey({ ssid: "home", pskFile: join(folder, "none") }))).toMatchObject(
      { kind: "no-input" },
    );
  });
});

describe("wpa_supplicant's configuration", () => {
  const network = { ssid: 'a "b"\n', pskFile: "/secret", hidden: false, country: "CN" } as const;
  test("has the derived key for WPA2, and any name in hexadecimal", () => {
    expect(wpaSupplicantConf({ ...network, security: "wpa2" }, "00ff")).toBe(
      "ctrl_interface=DIR=/run/wpa_supplicant GROUP=root\nupdate_config=0\ncountry=CN\n\nnetwork={\n\tssid=6120226222" +
        "0a\n\tkey_mgmt=WPA-PSK WPA-PSK-SHA256\n\tpsk=00ff\n}\n",
    );
  });
  test("has the passphrase itself for WPA3, with protected frames", () => {
    const text = wpaSupplicantConf({ ...network, security: "wpa3" }, 'pass "word"');
    expect(text).toContain('\tkey_mgmt=SAE\n\tieee80211w=2\n\tsae_password="pass "word""\n');
    expect(text).not.toContain("psk=");
  });
  test("asks for a hidden network by its name", () => {
    expect(wpaSupplicantConf({ ...network, security: "wpa2", hidden: true }, "00")).toContain(
      "\tscan_ssid=1\n",
    );
    expect(wpaSupplicantConf({ ...network, security: "wpa2" }, "00")).not.toContain("scan_ssid");
  });
  test("has no key for an open network", () => {
    const text = wpaSupplicantConf({ ...network, security: "open", pskFile: null }, "never");
    expect(text).toContain("\tkey_mgmt=NONE\n");
    expect(text).not.toContain("never");
  });
});
