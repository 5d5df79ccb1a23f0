import { describe, expect, test } from "bun:test";
import { BerryError } from "../../../../src/core/errors.ts";
import type { DiscoveryRequest } from "../../../../src/probe/discovery-port.ts";
import { createDiscovery, type FinderPorts } from "../../../../src/probe/discovery/discovery.ts";
import type { InterfaceFacts } from "../../../../src/probe/discovery/links.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { type FakeNetwork, fakeNetwork } from "../../../fixtures/mdns-network.ts";
import { answerPacket } from "../../../fixtures/mdns-packets.ts";

const card: InterfaceFacts = {
  name: "eth0",
  networks: ["192.168.1.5/24"],
  isLoopback: false,
  isUp: true,
  canMulticast: true,
  isBridge: false,
  isPhysical: true,
  kind: null,
};
const request: DiscoveryRequest = { via: "mdns", interfaces: [], hosts: [], timeoutMilliseconds: 1000 };

/** A network on which one board answers, and a resolver that knows one name. */
function search(network: FakeNetwork, ports: Partial<FinderPorts> = {}) {
  network.onAsked = ({ id, port }) =>
    network.deliver("eth0", answerPacket({ id: port === "mdns" ? 0 : id }), "192.168.1.11");
  return createDiscovery({
    ...network,
    interfaces: () => [card],
    openAvahi: async () => {
      throw new BerryError("unavailable", "avahi does not run on this machine");
    },
    lookUp: async ({ host }) => {
      if (host === "pi9") return [{ address: "10.0.0.9", family: 4, zone: null }];
      throw new BerryError("unavailable", `host ${host} is not known`, { hint: "give its address" });
    },
    ...ports,
  });
}

describe("one look", () => {
  test("finds what the network says and what the user names", async () => {
    const network = fakeNetwork();
    const seen: string[] = [];
    const report = search(network).browse(
      { ...request, hosts: ["pi9:9101", "nobody"] },
      ({ host, port, source }) => seen.push(`${host}:${port} ${source}`),
      new AbortController().signal,
    );
    await network.clock.advance(2000);
    expect(await report).toEqual({
      warnings: [{ message: "host nobody is not known", hint: "give its address" }],
    });
    expect(seen.toSorted()).toEqual(["pi1:9100 mdns", "pi9:9101 user"]);
  });

  test("tells of a flood", async () => {
    const network = fakeNetwork();
    const discovery = search(network);
    network.onAsked = ({ id }) => {
      for (let number = 0; number < 50; number += 1)
        network.deliver("eth0", answerPacket({ id }), "192.168.1.11");
    };
    const report = discovery.browse(request, () => undefined, new AbortController().signal);
    await network.clock.advance(2000);
    expect(await report).toMatchObject({
      isFlooded: true,
      warnings: [
        { message: expect.stringMatching(/^somebody floods the network with answers: \d+ packets/) },
      ],
    });
  });

  test("waits for whom the caller expects", async () => {
    const network = fakeNetwork();
    let endedAt = 0;
    const awaits = (heard: readonly unknown[]) => heard.length < 2;
    void search(network)
      .browse({ ...request, awaits }, () => undefined, new AbortController().signal)
      .then(() => (endedAt = network.clock.now()));
    await network.clock.advance(2000);
    expect(endedAt).toBeGreaterThanOrEqual(1000);
  });

  test("fails where there is no network, but not where hosts are named", async () => {
    const network = fakeNetwork();
    const discovery = search(network, { interfaces: () => [] });
    const failure = failureOf(discovery.browse(request, () => undefined, new AbortController().signal));
    expect(await failure).toMatchObject({ kind: "unavailable" });
    const seen: string[] = [];
    const named = { ...request, hosts: ["pi9"] };
    const report = discovery.browse(named, ({ host }) => seen.push(host), new AbortController().signal);
    expect((await report).warnings).toMatchObject([
      { message: "no network interface can be asked for nodes" },
    ]);
    expect(seen).toEqual(["pi9"]);
  });

  test("fails for words that make no sense, whatever else is named", async () => {
    const discovery = search(fakeNetwork());
    const { signal } = new AbortController();
    const look = async (wrong: Partial<DiscoveryRequest>) =>
      await failureOf(discovery.browse({ ...request, ...wrong }, () => undefined, signal));
    expect(await look({ hosts: ["pi9:0"] })).toMatchObject({ kind: "usage" });
    expect(await look({ hosts: ["pi9"], interfaces: ["eth7"] })).toMatchObject({ kind: "usage" });
  });

  test("through avahi says that there is none", async () => {
    const discovery = search(fakeNetwork());
    const look = discovery.browse(
      { ...request, via: "avahi" },
      () => undefined,
      new AbortController().signal,
    );
    expect(await failureOf(look)).toMatchObject({ message: "avahi does not run on this machine" });
  });

  test("tells which interface could not be asked, and who says too little", async () => {
    const network = fakeNetwork();
    network.broken.set("eth1/4", "network is unreachable");
    const discovery = search(network, {
      interfaces: () => [card, { ...card, name: "eth1", networks: ["192.168.9.5/24"] }],
    });
    network.onAsked = ({ id }) =>
      network.deliver("eth0", answerPacket({ id, without: ["A"] }), "192.168.1.11");
    const report = discovery.browse(request, () => undefined, new AbortController().signal);
    await network.clock.advance(2000);
    expect((await report).warnings.map(({ message }) => message)).toEqual([
      "nobody could be asked through eth1 over IPv4: network is unreachable",
      "announced, but nobody says where it is: pi1.local",
    ]);
  });
});

describe("a watch", () => {
  test("tells of the network and of named hosts, the latter when their addresses change", async () => {
    const network = fakeNetwork();
    let address = "10.0.0.9";
    const discovery = search(network, { lookUp: async () => [{ address, family: 4, zone: null }] });
    const abort = new AbortController();
    const seen: string[] = [];
    const report = discovery.watch(
      { ...request, hosts: ["pi9"] },
      (event) => seen.push(event.event === "seen" ? (event.sighting.addresses[0]?.address ?? "") : "gone"),
      abort.signal,
    );
    await network.clock.advance(100_000);
    address = "10.0.0.10";
    await network.clock.advance(100_000);
    abort.abort();
    await network.clock.advance(1);
    expect(await report).toEqual({ warnings: [] });
    expect(seen.toSorted()).toEqual(["10.0.0.10", "10.0.0.9", "192.168.1.11"]);
  });

  test("goes on with named hosts where there is no network, and fails without them", async () => {
    const network = fakeNetwork();
    const discovery = search(network, { interfaces: () => [] });
    const abort = new AbortController();
    const failure = failureOf(discovery.watch(request, () => undefined, abort.signal));
    expect(await failure).toMatchObject({ kind: "unavailable" });
    const wrong = { ...request, hosts: ["pi9"], interfaces: ["eth7"] };
    const usage = failureOf(discovery.watch(wrong, () => undefined, abort.signal));
    expect(await usage).toMatchObject({ kind: "usage" });
    const report = discovery.watch({ ...request, hosts: ["pi9"] }, () => undefined, abort.signal);
    await network.clock.advance(1000);
    abort.abort();
    await network.clock.advance(1);
    expect((await report).warnings).toMatchObject([
      { message: "no network interface can be asked for nodes" },
    ]);
  });
});

describe("a watch without any network", () => {
  const nowhere = (isThere: () => boolean) => ({ interfaces: () => (isThere() ? [card] : []) });
  test("is an error for who did not say that it may wait", async () => {
    const watching = search(
      fakeNetwork(),
      nowhere(() => false),
    ).watch(request, () => undefined, new AbortController().signal);
    expect(await failureOf(watching)).toMatchObject({ kind: "unavailable" });
  });
  test("says so once, and finds nodes when there is one", async () => {
    const network = fakeNetwork();
    let isThere = false;
    const said: string[] = [];
    const seen: string[] = [];
    const ended = new AbortController();
    const watching = search(
      network,
      nowhere(() => isThere),
    ).watch(
      { ...request, onNoNetwork: ({ message }) => said.push(message) },
      (event) => seen.push(event.event),
      ended.signal,
    );
    await network.clock.advance(20_000);
    expect(seen).toEqual([]);
    isThere = true;
    await network.clock.advance(20_000);
    expect(said).toEqual(["no network interface can be asked for nodes"]);
    expect(seen).toContain("seen");
    ended.abort();
    await watching;
  });
});
