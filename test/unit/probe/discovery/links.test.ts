import { describe, expect, test } from "bun:test";
import { chooseLinks, type InterfaceFacts } from "../../../../src/probe/discovery/links.ts";

const card = (name: string, facts: Partial<InterfaceFacts> = {}): InterfaceFacts => ({
  name,
  networks: ["192.168.1.5/24", "fe80::5/64"],
  isLoopback: false,
  isUp: true,
  canMulticast: true,
  isBridge: false,
  isPhysical: false,
  kind: null,
  ...facts,
});
const names = (facts: readonly InterfaceFacts[], named: readonly string[] = []) =>
  chooseLinks(facts, named).map(({ name, family }) => `${name}/${family}`);

describe("by itself, berry asks", () => {
  test("on real interfaces, in each family that has an address", () => {
    const facts = [
      card("enp3s0", { isPhysical: true }),
      card("wlan0", { isPhysical: true, kind: "wlan", networks: ["fe80::6/64"] }),
      card("end0", { isPhysical: true, networks: ["10.0.0.1/8"] }),
    ];
    expect(names(facts)).toEqual(["enp3s0/4", "enp3s0/6", "wlan0/6", "end0/4"]);
    expect(chooseLinks(facts, [])[0]).toEqual({
      name: "enp3s0",
      family: 4,
      address: "192.168.1.5",
      networks: ["192.168.1.5/24", "fe80::5/64"],
    });
  });

  test.each<[string, Partial<InterfaceFacts>]>([
    ["lo", { isLoopback: true }],
    ["docker0", { isBridge: true }],
    ["br-1f2e3d4c5b6a", { isBridge: true }],
    ["virbr0", { isBridge: true }],
    ["cni0", { isBridge: true }],
    ["veth12ab", {}],
    ["flannel.1", { kind: "vxlan" }],
    ["cali1234", {}],
    ["tun0", { kind: "tun" }],
    ["work", { kind: "wireguard" }],
    ["vpn", { kind: "tun" }],
    ["eth9", { isUp: false }],
    ["ppp0", { canMulticast: false }],
  ])("not on %s", (name, facts) => {
    expect(names([card("eth0"), card(name, facts)])).toEqual(["eth0/4", "eth0/6"]);
  });

  test("on a bridge that carries the home network, on VLANs and bonds, and in a container", () => {
    const facts = [
      card("br0", { isBridge: true }),
      card("eth0.5", { kind: "vlan" }),
      card("bond0", { kind: "bond" }),
      card("eth0"),
    ];
    expect(new Set(names(facts))).toEqual(
      new Set(["br0/4", "br0/6", "eth0.5/4", "eth0.5/6", "bond0/4", "bond0/6", "eth0/4", "eth0/6"]),
    );
  });

  test("and says what to do where there is nothing to ask on", () => {
    expect(() => names([card("lo", { isLoopback: true }), card("docker0", { isBridge: true })])).toThrow(
      expect.objectContaining({
        kind: "unavailable",
        message: "no network interface can be asked for nodes",
        hint: "connect a network, or name one with --iface: there are docker0, lo",
      }),
    );
  });
});

test("a machine without any network is told to connect one", () => {
  for (const facts of [[], [card("eth0", { isUp: false })]])
    expect(() => names(facts)).toThrow(expect.objectContaining({ hint: "connect a network" }));
});

describe("the user", () => {
  test("is told that an interface has no address", () => {
    expect(() => names([card("eth0", { networks: [] })], ["eth0"])).toThrow(
      expect.objectContaining({ kind: "unavailable", hint: "give it an address" }),
    );
  });

  test("may name whatever interface there is", () => {
    const facts = [card("eth0"), card("docker0", { isBridge: true })];
    expect(names(facts, ["docker0"])).toEqual(["docker0/4", "docker0/6"]);
  });

  test("is told which there are", () => {
    expect(() => names([card("wlan0"), card("eth0")], ["eth1"])).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: "--iface: there is no interface eth1",
        hint: "there are eth0, wlan0",
      }),
    );
  });

  test("is told that an interface is down, and how to change that", () => {
    expect(() => names([card("eth0", { isUp: false })], ["eth0"])).toThrow(
      expect.objectContaining({ message: "interface eth0 is down", hint: "sudo ip link set eth0 up" }),
    );
  });
});
