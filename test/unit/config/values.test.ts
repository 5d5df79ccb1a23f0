import { describe, expect, test } from "bun:test";
import { checkHostAddress, contains, parseAddress, parseNetwork } from "../../../src/config/addresses.ts";
import { parseSize } from "../../../src/config/image-values.ts";
import { checkHostName, checkUnitName, checkUserName, withUnitType } from "../../../src/config/names.ts";
import { show } from "../../../src/config/problem.ts";
import { checkPublicKey } from "../../../src/config/public-key.ts";
import { passwordFrom, passwordRandomBytes } from "../../../src/config/random-password.ts";
import { checkTimezone } from "../../../src/config/region.ts";
import { checkCryptHash, checkPasswordFile, checkPskFile, firstLineOf } from "../../../src/config/secrets.ts";
import { key } from "./cluster-folder.ts";

describe("addresses", () => {
  test.each([
    ["192.168.1.1", 0xc0a80101n],
    ["::", 0n],
    ["::1", 1n],
    ["2001:db8::1", 0x20010db8000000000000000000000001n],
    ["1:2:3:4:5:6:7:8", 0x00010002000300040005000600070008n],
    ["::ffff:192.168.1.1", 0xffffc0a80101n],
    ["fe80::", 0xfe80n << 112n],
  ])("%p is read", (text, value) => {
    expect(parseAddress(text)?.value).toBe(value);
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.04",
    "1.2.3.256",
    "1.2.3.4.5",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7::8:9",
    "12345::",
    "fe80::1%eth0",
    "1.2.3.4::",
  ])("%p is no address", (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test.each(["1.2.3.4/33", "::1/129", "1.2.3.4/024", "1.2.3.4/", "1.2.3.4"])("%p is no network", (text) => {
    expect(parseNetwork(text)).toBeNull();
  });

  test.each(["10.0.0.0/31", "10.0.0.1/31", "10.0.0.7/32", "2001:db8::ffff:ffff:ffff:ffff/64"])(
    "%p can be a host's",
    (text) => {
      expect(checkHostAddress(text)).toBeNull();
    },
  );

  test("a network holds the addresses that share its prefix, and none of the other version", () => {
    const network = parseNetwork("192.168.1.11/25");
    const held = ["192.168.1.1", "192.168.1.127", "192.168.1.128", "::c0a8:101"].map((text) => {
      const address = parseAddress(text);
      return network !== null && address !== null && contains(network, address);
    });
    expect(held).toEqual([true, true, false, false]);
  });
});

describe("names", () => {
  test.each(["a", "pi1", "a-b", "1", "x".repeat(63)])("%p is a host name", (name) => {
    expect(checkHostName(name)).toBeNull();
  });

  test.each(["", "-a", "a-", "a.b", "a_b", "x".repeat(64), "pi1\n"])("%p is no host name", (name) => {
    expect(checkHostName(name)?.problem).toBe("not a host name");
  });

  test.each(["_x", "a-b_c", "pi", "alarm", "x".repeat(32)])("%p is a user name", (name) => {
    expect(checkUserName(name)).toBeNull();
  });

  test.each(["1a", "-a", "a b", "x".repeat(33), "sshd", "systemd-network", ""])(
    "%p is no user name",
    (name) => {
      expect(checkUserName(name)).not.toBeNull();
    },
  );

  test("a unit without a type is a service", () => {
    expect(["docker", "a.timer", "getty@tty1", "dbus-org.bluez"].map(withUnitType)).toEqual([
      "docker.service",
      "a.timer",
      "getty@tty1.service",
      "dbus-org.bluez.service",
    ]);
    expect(checkUnitName("--now")).not.toBeNull();
  });
});

describe("secrets", () => {
  const salt = "saltsaltsaltsalt";
  test.each([
    `$y$j9T$${salt}$${"a".repeat(43)}`,
    `$gy$j9T$${salt}$${"a".repeat(43)}`,
    `$7$CU..../....${salt}$${"a".repeat(43)}`,
    `$6$${salt}$${"a".repeat(86)}`,
    `$6$rounds=65536$${salt}$${"a".repeat(86)}`,
    `$5$${salt}$${"a".repeat(43)}`,
    `$2b$12$${"a".repeat(53)}`,
  ])("%p is a crypt hash", (hash) => {
    expect(checkCryptHash(hash)).toBeNull();
  });

  test.each([
    `$6$${salt}$${"a".repeat(85)}`,
    `$y$j9T$${salt}$`,
    "",
    "*",
    "!",
    `$6$${salt}$${"a".repeat(86)}\n`,
    "$9$x$y",
  ])("%p is no crypt hash", (hash) => {
    expect(checkCryptHash(hash)?.problem).toBe("not a crypt hash");
  });

  test("a passphrase has 8 to 63 characters, a PSK 64 hexadecimal digits", () => {
    const lengths = [7, 8, 63, 64].map((length) => checkPskFile("x".repeat(length), "wpa2") === null);
    expect(lengths).toEqual([false, true, true, false]);
    expect(checkPskFile("aB".repeat(32), "wpa2")).toBeNull();
    expect(checkPskFile("aB".repeat(32), "wpa3")).not.toBeNull();
  });

  test("a password may be without a line end, and has at most 511 bytes", () => {
    expect(["x", "x\n", "ü".repeat(255)].map(checkPasswordFile)).toEqual([null, null, null]);
    expect(checkPasswordFile("ü".repeat(256))).not.toBeNull();
    expect(checkPasswordFile("\n")).not.toBeNull();
  });

  test("the first line ends at the first line feed", () => {
    expect(["a\nb", "a", "\n", ""].map(firstLineOf)).toEqual(["a", "a", "", ""]);
  });

  test("a random password has 20 letters of an alphabet of 32, in four groups", () => {
    const password = passwordFrom(Uint8Array.from({ length: passwordRandomBytes }, (_, index) => index * 13));
    expect(password).toMatch(/^[a-km-z2-9]{5}(-[a-km-z2-9]{5}){3}$/);
    expect(() => passwordFrom(new Uint8Array(4))).toThrow(RangeError);
  });
});

test.each([
  ["64M", 64],
  ["256MiB", 256],
  ["1 GB", 1024],
  ["16384K", 16],
  ["1T", 1024 * 1024],
])("%p is %p MiB", (text, size) => {
  expect(parseSize(text)).toBe(size * 1024 * 1024);
});

test.each(["UTC", "Asia/Shanghai", "America/Argentina/Buenos_Aires", "Etc/GMT+3", "US/Pacific"])(
  "%p is a time zone",
  (zone) => {
    expect(checkTimezone(zone)).toBeNull();
  },
);

test.each([
  key,
  `restrict,command="echo \\"a b\\"" ${key}`,
  "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABHNzaDo= me",
])("%p is a public key", (line) => {
  expect(checkPublicKey(line)).toBeNull();
});

test("a value is shown on one short line, without control characters", () => {
  expect(show("a\n\u001b[31m\u009b")).toBe(String.raw`"a\n\u001b[31m\u009b"`);
  expect(show("x".repeat(100))).toHaveLength(60);
});
