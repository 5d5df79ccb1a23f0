import { describe, expect, test } from "bun:test";
import { keyOf, knownHostsMark, renderKnownHosts } from "../../../src/imager/known-hosts.ts";

const [one, two, three] = [
  "AAAAC3NzaC1lZDI1NTE5AAAAIOne",
  "AAAAC3NzaC1lZDI1NTE5AAAAITwo",
  "AAAAB3NzaC1yc2EAAAADAQAB",
];

describe("a known_hosts file", () => {
  test("has a line for each key, without its comment, in order of the names", () => {
    const hosts = [
      { names: ["pi2", "pi2.local", "192.168.1.12"], publicKeys: [`ssh-ed25519 ${two} root@pi2\n`] },
      { names: ["pi1", "pi1.local"], publicKeys: [`ssh-rsa ${three}\n`, `ssh-ed25519 ${one}\n`] },
    ];
    expect(renderKnownHosts(hosts)).toBe(
      [
        knownHostsMark,
        `pi1,pi1.local ssh-ed25519 ${one}`,
        `pi1,pi1.local ssh-rsa ${three}`,
        `pi2,pi2.local,192.168.1.12 ssh-ed25519 ${two}`,
        "",
      ].join("\n"),
    );
    expect(renderKnownHosts(hosts.toReversed())).toBe(renderKnownHosts(hosts));
  });

  test("has no line for what is no public key", () => {
    expect(
      renderKnownHosts([{ names: ["pi1"], publicKeys: ["", "-----BEGIN OPENSSH PRIVATE KEY-----\n"] }]),
    ).toBe(`${knownHostsMark}\n`);
  });

  test.each([
    ["ssh-ed25519 AAAA root@pi1\n", "ssh-ed25519 AAAA"],
    ["ecdsa-sha2-nistp256 AAAA==", "ecdsa-sha2-nistp256 AAAA=="],
    ["ssh-ed25519", null],
    ["* ssh-ed25519 AAAA", null],
    ["ssh-ed25519 AA\u0000AA", null],
  ])("takes %p for the key %p", (text, key) => {
    expect(keyOf(text)).toBe(key);
  });
});
