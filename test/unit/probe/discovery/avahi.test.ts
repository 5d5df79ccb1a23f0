import { describe, expect, test } from "bun:test";
import {
  type Avahi,
  type AvahiAnswer,
  type AvahiEvents,
  type AvahiService,
  browseAvahi,
  watchAvahi,
} from "../../../../src/probe/discovery/avahi.ts";
import type { Sighting } from "../../../../src/probe/sighting.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { handClock } from "../../../fixtures/hand-clock.ts";

interface FakeAvahi extends Avahi {
  events: AvahiEvents | null;
  /** By name and protocol; who is not in it never answers. */
  readonly answers: Map<string, AvahiAnswer | Error>;
  closed: boolean;
}

function fakeAvahi(): FakeAvahi {
  const avahi: FakeAvahi = {
    events: null,
    answers: new Map(),
    closed: false,
    async browse(_, events) {
      avahi.events = events;
      return {
        [Symbol.dispose]: () => {
          avahi.closed = true;
        },
      };
    },
    async resolve({ name, protocol }) {
      const answer = avahi.answers.get(`${name} ${protocol}`);
      if (answer instanceof Error) throw answer;
      return answer ?? (await Promise.withResolvers<AvahiAnswer>().promise);
    },
  };
  return avahi;
}

const service = (name: string, facts: Partial<AvahiService> = {}): AvahiService => ({
  interfaceIndex: 2,
  interfaceName: "eth0",
  protocol: 0,
  name,
  ...facts,
});
const answer = (address: string, facts: Partial<AvahiAnswer> = {}): AvahiAnswer => ({
  host: "pi1.local",
  address,
  port: 9100,
  txt: ["serial=a1", "role=server"],
  ...facts,
});

function look(avahi: Avahi, interfaces: string[] = [], signal = new AbortController().signal) {
  const clock = handClock();
  const seen: Sighting[] = [];
  const unanswered = browseAvahi(
    { interfaces, timeoutMilliseconds: 1000 },
    { avahi, clock },
    (sighting) => seen.push(sighting),
    signal,
  );
  return { clock, seen, unanswered };
}

describe("one look through avahi", () => {
  test("puts both families together, and ends when all that avahi knows has answered", async () => {
    const avahi = fakeAvahi();
    avahi.answers.set("berry on pi1 0", answer("192.168.1.11"));
    avahi.answers.set("berry on pi1 1", answer("fe80::11"));
    const { clock, seen, unanswered } = look(avahi);
    await clock.advance(1);
    avahi.events?.onFound(service("berry on pi1"));
    avahi.events?.onFound(service("berry on pi1", { protocol: 1 }));
    avahi.events?.onAllForNow();
    await clock.advance(1);
    expect(await unanswered).toEqual([]);
    expect(seen.at(-1)).toEqual({
      instance: "berry on pi1",
      host: "pi1",
      addresses: [
        { address: "192.168.1.11", family: 4, zone: "eth0" },
        { address: "fe80::11", family: 6, zone: "eth0" },
      ],
      port: 9100,
      serial: "a1",
      model: null,
      role: "server",
      version: null,
      source: "avahi",
    });
    expect(avahi.closed).toBe(true);
  });

  test("tells whom avahi knows and nobody answers for", async () => {
    const avahi = fakeAvahi();
    avahi.answers.set("ghost 0", new Error("org.freedesktop.Avahi.TimeoutError"));
    const { clock, seen, unanswered } = look(avahi);
    await clock.advance(1);
    avahi.events?.onFound(service("ghost"));
    avahi.events?.onAllForNow();
    await clock.advance(1);
    expect([await unanswered, seen]).toEqual([["ghost"], []]);
  });

  test("ends with its time where avahi waits for a ghost", async () => {
    const avahi = fakeAvahi();
    avahi.answers.set("berry on pi1 0", answer("192.168.1.11"));
    const { clock, seen, unanswered } = look(avahi);
    await clock.advance(1);
    avahi.events?.onFound(service("berry on pi1"));
    avahi.events?.onFound(service("ghost"));
    avahi.events?.onAllForNow();
    await clock.advance(2000);
    await unanswered;
    expect(seen).toHaveLength(1);
    expect(avahi.closed).toBe(true);
  });

  test("keeps to the interfaces that were named, and believes no nonsense", async () => {
    const avahi = fakeAvahi();
    avahi.answers.set("berry on pi1 0", answer("192.168.1.11"));
    avahi.answers.set("loop 0", answer("127.0.0.1"));
    avahi.answers.set("port 0", answer("192.168.1.12", { port: 0 }));
    avahi.answers.set("host 0", answer("192.168.1.12", { host: "example.org" }));
    const { clock, seen, unanswered } = look(avahi, ["wlan0"]);
    await clock.advance(1);
    avahi.events?.onFound(service("berry on pi1"));
    for (const name of ["loop", "port", "host"])
      avahi.events?.onFound(service(name, { interfaceName: "wlan0", interfaceIndex: 3 }));
    avahi.events?.onAllForNow();
    await clock.advance(1);
    await unanswered;
    expect(seen).toEqual([]);
  });

  test("fails when avahi ends, and with the reason of Ctrl-C", async () => {
    const avahi = fakeAvahi();
    const first = look(avahi);
    const failure = failureOf(first.unanswered);
    await first.clock.advance(1);
    avahi.events?.onFailure(new Error("the connection to avahi has ended"));
    await first.clock.advance(0);
    expect(await failure).toEqual(new Error("the connection to avahi has ended"));
    const abort = new AbortController();
    const second = look(avahi, [], abort.signal);
    const interrupted = failureOf(second.unanswered);
    await second.clock.advance(1);
    abort.abort(new Error("interrupted"));
    await second.clock.advance(0);
    expect(await interrupted).toEqual(new Error("interrupted"));
  });
});

test("a watch through avahi tells who comes and who goes", async () => {
  const avahi = fakeAvahi();
  avahi.answers.set("berry on pi1 0", answer("192.168.1.11"));
  avahi.answers.set("berry on pi1 1", answer("fd00::11"));
  const clock = handClock();
  const abort = new AbortController();
  const events: string[] = [];
  const watching = watchAvahi(
    { interfaces: [] },
    avahi,
    (event) =>
      events.push(
        event.event === "gone"
          ? `gone ${event.instance}`
          : `seen ${event.sighting.addresses.length} addresses`,
      ),
    () => events.push("settled"),
    abort.signal,
  );
  await clock.advance(1);
  avahi.events?.onAllForNow();
  avahi.events?.onFound(service("berry on pi1"));
  avahi.events?.onFound(service("berry on pi1"));
  await clock.advance(1);
  avahi.events?.onFound(service("berry on pi1", { protocol: 1 }));
  await clock.advance(1);
  avahi.events?.onGone(service("berry on pi1"));
  avahi.events?.onGone(service("berry on pi1", { protocol: 1 }));
  abort.abort();
  await clock.advance(1);
  await watching;
  expect(events).toEqual([
    "settled",
    "seen 1 addresses",
    "settled",
    "seen 2 addresses",
    "settled",
    "seen 1 addresses",
    "gone berry on pi1",
  ]);
});
