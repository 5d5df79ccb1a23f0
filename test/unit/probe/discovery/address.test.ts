import { describe, expect, test } from "bun:test";
import { compareAddresses, hostAddress, isOnLink } from "../../../../src/probe/discovery/address.ts";

describe("an address of a host", () => {
  test.each([
    ["192.168.1.11", "192.168.1.11"],
    ["169.254.3.4", "169.254.3.4"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["fd77:1::1", "fd77:1::1"],
    ["fe80::1", "fe80::1"],
    ["1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"],
    ["1:2:3:4:5:6::", "1:2:3:4:5:6::"],
  ])("%s is written as %s", (text, written) => {
    expect(hostAddress(text, "eth0")).toEqual({
      address: written,
      family: text.includes(":") ? 6 : 4,
      zone: "eth0",
    });
  });

  test.each([
    "127.0.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.251",
    "239.1.2.3",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:192.168.1.1",
    "ff02::fb",
    "192.168.1.undefined",
    "",
  ])("is not %s", (text) => {
    expect(hostAddress(text, null)).toBeNull();
  });
});

test("what can be routed comes first, IPv4 before IPv6", () => {
  const sorted = ["fe80::1", "169.254.1.1", "fd00::1", "10.0.0.11", "10.0.0.9"]
    .map((text) => hostAddress(text, "eth0"))
    .filter((address) => address !== null)
    .sort(compareAddresses)
    .map(({ address }) => address);
  expect(sorted).toEqual(["10.0.0.9", "10.0.0.11", "fd00::1", "169.254.1.1", "fe80::1"]);
});

describe("a packet was sent on the link", () => {
  const networks = ["192.168.1.5/24", "fd00::5/64"];
  test.each([
    ["192.168.1.11", true],
    ["192.168.2.11", false],
    ["fd00::11", true],
    ["fd01::11", false],
    ["fe80::1%eth0", true],
    ["fe80::1%eth1", false],
    ["nonsense", false],
  ])("when it comes from %s: %p", (source, isIt) => {
    expect(isOnLink(source, "eth0", networks)).toBe(isIt);
  });
});
