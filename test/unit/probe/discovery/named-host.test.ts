import { describe, expect, test } from "bun:test";
import { namedSighting, parseNamedHost } from "../../../../src/probe/discovery/named-host.ts";

describe("the user names a host", () => {
  test.each<[string, string, number, string | null]>([
    ["pi1", "pi1", 9100, null],
    ["pi1:9101", "pi1", 9101, null],
    ["pi-1.example.org:80", "pi-1.example.org", 80, null],
    ["pi1.local", "pi1.local", 9100, null],
    ["192.168.1.11", "192.168.1.11", 9100, null],
    ["192.168.1.11:65535", "192.168.1.11", 65535, null],
    ["fd00::1", "fd00::1", 9100, null],
    ["[fd00::1]", "fd00::1", 9100, null],
    ["[fd00::1]:9101", "fd00::1", 9101, null],
    ["fe80::1%eth0", "fe80::1", 9100, "eth0"],
    ["[fe80::1%eth0]:9101", "fe80::1", 9101, "eth0"],
  ])("as %s", (text, host, port, zone) => {
    expect(parseNamedHost(text)).toEqual({ host, port, zone });
  });

  test.each([
    "",
    "pi1:0",
    "pi1:65536",
    "pi1:",
    "pi1:http",
    "pi1 pi2",
    "-pi",
    "[pi1]:9100",
    "192.168.1",
    "1.2.3.4.5",
    "fd00::1:::2",
    "[fd00::1",
    "192.168.1.1%eth0",
    "pi1/metrics",
    "http://pi1",
    "0x7f000001",
    "0x7f.1",
    "127.0x1",
    "\u001b[31mpi",
  ])("not as %p", (text) => {
    expect(() => parseNamedHost(text)).toThrow(
      expect.objectContaining({ kind: "usage", hint: expect.stringContaining("[fd00::1]:9100") }),
    );
  });

  test.each(["chaney:secret@pi1", "http://chaney:secret@pi1:9100/metrics"])(
    "without a password: %s",
    (text) => {
      const problem = expect.not.stringContaining("secret");
      expect(() => parseNamedHost(text)).toThrow(
        expect.objectContaining({ kind: "usage", message: problem }),
      );
    },
  );

  test("and gets it at the addresses it has, or not at all", () => {
    const host = { host: "pi1.local.", zone: null, port: 9100 };
    expect(namedSighting(host, [])).toBeNull();
    expect(
      namedSighting(host, [
        { address: "fd00::1", family: 6, zone: null },
        { address: "10.0.0.1", family: 4, zone: null },
      ]),
    ).toMatchObject({
      instance: null,
      host: "pi1",
      addresses: [{ address: "10.0.0.1" }, { address: "fd00::1" }],
      port: 9100,
      source: "user",
    });
  });
});
