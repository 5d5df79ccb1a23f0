import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readInterfaces } from "../../../../src/probe/discovery/links-file.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-sysfs-"));
  const write = async (name: string, flags: string, uevent: string, others: readonly string[] = []) => {
    for (const other of others) await mkdir(join(folder, name, other), { recursive: true });
    await Bun.write(join(folder, name, "flags"), flags);
    await Bun.write(join(folder, name, "uevent"), uevent);
  };
  await write("test-wlan", "0x1003\n", "DEVTYPE=wlan\nINTERFACE=test-wlan\nIFINDEX=3\n", ["device"]);
  await write("test-down", "0x1002\n", "INTERFACE=test-down\n");
  await write("test-bridge", "0x1003\n", "DEVTYPE=bridge\nINTERFACE=test-bridge\n", ["bridge"]);
  await write("test-tun", "0x1091\n", "INTERFACE=test-tun\n", ["tun_flags"]);
  await Bun.write(join(folder, "bonding_masters"), "");
});

afterAll(() => rm(folder, { recursive: true }));

const find = (name: string, at = folder) => readInterfaces(at).find((facts) => facts.name === name);

test("an interface is what sysfs says of it, with or without an address", () => {
  const plain = { networks: [], isLoopback: false, canMulticast: true };
  const wlan = { isUp: true, isBridge: false, isPhysical: true, kind: "wlan" };
  expect(find("test-wlan")).toEqual({ name: "test-wlan", ...plain, ...wlan });
  expect(find("test-down")).toMatchObject({ isUp: false, isPhysical: false, kind: null });
  expect(find("test-bridge")).toMatchObject({ isBridge: true, kind: "bridge" });
  expect(find("test-tun")).toMatchObject({ kind: "tun" });
  expect(find("bonding_masters")).toBeUndefined();
});

test("this machine's loopback is known as such, even where there is no sysfs", () => {
  for (const at of [folder, join(folder, "nowhere"), "/sys/class/net"])
    expect(find("lo", at)).toMatchObject({ isLoopback: true });
});
