import { describe, expect, test } from "bun:test";
import { ownFileFlaw } from "../../../../src/config/own-files.ts";
import { arch, debian, makeCluster, makeFan, makeNode, planOf, wifi } from "./cluster-values.ts";

const file = (path: string, secret = false) => ({
  source: "/home/chaney/cluster/motd",
  path,
  mode: 0o644,
  owner: "root",
  group: "root",
  secret,
});

describe.each([arch, debian])("a file of berry.toml for %s", (target) => {
  test("may have no path that a node's own steps write", () => {
    const node = makeNode("pi1", { wifi, fan: makeFan() });
    const [plan] = planOf(makeCluster(target, [node])).nodes;
    const written = (plan?.steps ?? []).flatMap((step) => {
      const isWritten =
        step.do === "write" ||
        step.do === "write-wifi" ||
        step.do === "write-host-key" ||
        step.do === "symlink";
      return isWritten ? [step.path] : [];
    });
    expect(written.length).toBeGreaterThan(6);
    expect(written.filter((path) => ownFileFlaw(file(path), node) === null)).toEqual([]);
  });

  test("may have what berry would write, where it does not", () => {
    const node = makeNode("pi1", { wifi: null, fan: null, ssh: { hostKeys: null } });
    for (const path of ["/etc/berry/fand.toml", "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf", "/etc/motd"])
      expect(ownFileFlaw(file(path), node)).toBeNull();
    expect(ownFileFlaw(file("/etc/ssh/ssh_host_rsa_key", true), node)).toBeNull();
  });
});
