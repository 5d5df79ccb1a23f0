import { existsSync } from "node:fs";
import { type MessageBus, systemBus } from "@homebridge/dbus-native";
import { BerryError } from "../../core/errors.ts";
import type { Avahi, AvahiEvents, AvahiService } from "./avahi.ts";

/** Of the interface org.freedesktop.Avahi (avahi-daemon/org.freedesktop.Avahi.*.xml). */
const destination = "org.freedesktop.Avahi";
const busName = "org.freedesktop.DBus";
const anyInterface = -1;
const anyProtocol = -1;
const signalMessage = 4;
const standardBus = "unix:path=/var/run/dbus/system_bus_socket";
const resolvesAtOnce = 32;
const startHint = "sudo systemctl start avahi-daemon, or ask without --via avahi";

/** A message of the bus, as the library hands it out. */
interface BusMessage {
  readonly type: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly body?: readonly unknown[];
}

/** On the system's bus: DBUS_SYSTEM_BUS_ADDRESS, else where it always is. */
export function openAvahi(): Avahi {
  let bus: MessageBus | null = null;
  const resolving = limit(resolvesAtOnce);
  return {
    async browse(type, events, signal) {
      signal.throwIfAborted();
      const connection = connect();
      bus = connection;
      let isClosed = false;
      const close = (): void => {
        isClosed = true;
        connection.connection.stream.destroy();
      };
      try {
        await withEnd(connection, signal, startBrowser(connection, type, events));
      } catch (thrown) {
        close();
        signal.throwIfAborted();
        throw refusal(thrown);
      }
      const lost = () => {
        if (!isClosed)
          events.onFailure(
            new BerryError("unavailable", "the connection to avahi has ended", { hint: startHint }),
          );
      };
      connection.connection.on("end", lost);
      connection.connection.on("error", lost);
      return { [Symbol.dispose]: close };
    },
    async resolve({ interfaceIndex, protocol, name }) {
      const open = bus;
      if (open === null) throw new Error("avahi is asked before it is browsed");
      const answer = await resolving(() =>
        call(open, "/", "Server", "ResolveService", "iisssiu", [
          interfaceIndex,
          protocol,
          name,
          "_berry._tcp",
          "local",
          protocol,
          0,
        ]),
      );
      const [, , , , , host, , address, port, txt] = answer;
      return {
        host: String(host),
        address: String(address),
        port: Number(port),
        txt: Array.isArray(txt)
          ? txt.map((text) => (Buffer.isBuffer(text) ? text.toString("utf8") : ""))
          : [],
      };
    },
  };
}

function connect(): MessageBus {
  const address = process.env["DBUS_SYSTEM_BUS_ADDRESS"] ?? standardBus;
  const path = /^unix:(?:.*,)?path=([^,;]+)/.exec(address)?.[1];
  if (path !== undefined && !existsSync(path))
    throw new BerryError("unavailable", `there is no D-Bus here: ${path} does not exist`, {
      hint: "ask without --via avahi: berry needs none",
    });
  return systemBus();
}

/** The browser speaks as soon as there is one, before its name is told: what it says is kept until then. */
async function startBrowser(bus: MessageBus, type: string, events: AvahiEvents): Promise<void> {
  let path: string | null = null;
  const early: BusMessage[] = [];
  const names = new Map<number, Promise<string>>();
  const nameOf = (index: number): Promise<string> => {
    const known =
      names.get(index) ??
      call(bus, "/", "Server", "GetNetworkInterfaceNameByIndex", "i", [index]).then(([name]) => String(name));
    names.set(index, known);
    return known;
  };
  const told = async (message: BusMessage): Promise<void> => {
    switch (message.member) {
      case undefined:
        return;
      case "ItemNew":
      case "ItemRemove": {
        const [interfaceIndex, protocol, name] = message.body ?? [];
        if (typeof interfaceIndex !== "number" || typeof protocol !== "number" || typeof name !== "string")
          return;
        const interfaceName = await nameOf(interfaceIndex).catch(() => String(interfaceIndex));
        const service: AvahiService = { interfaceIndex, interfaceName, protocol, name };
        if (message.member === "ItemNew") events.onFound(service);
        else events.onGone(service);
        return;
      }
      case "AllForNow":
        events.onAllForNow();
        return;
      case "Failure":
        events.onFailure(
          new BerryError("unavailable", `avahi stopped browsing: ${String(message.body?.[0])}`),
        );
    }
  };
  // in the order in which it came, though the names of interfaces are asked for in between
  let last = Promise.resolve();
  const inOrder = (message: BusMessage): void => {
    last = last.then(async () => await told(message));
  };
  bus.connection.on("message", (message: BusMessage) => {
    if (message.type === signalMessage && message.member === "NameOwnerChanged" && isEnd(message))
      events.onFailure(new BerryError("unavailable", "avahi has ended", { hint: startHint }));
    if (message.type !== signalMessage || message.interface !== `${destination}.ServiceBrowser`) return;
    if (path === null) early.push(message);
    else if (message.path === path) inOrder(message);
  });
  await listen(bus, `sender='${destination}',interface='${destination}.ServiceBrowser'`);
  await listen(bus, `sender='${busName}',member='NameOwnerChanged',arg0='${destination}'`);
  const [browser] = await call(bus, "/", "Server", "ServiceBrowserNew", "iissu", [
    anyInterface,
    anyProtocol,
    type,
    "local",
    0,
  ]);
  path = String(browser);
  for (const message of early) if (message.path === path) inOrder(message);
}

/** Of the name of avahi: it has no owner any more. */
function isEnd({ body }: BusMessage): boolean {
  return body?.[0] === destination && body[2] === "";
}

async function listen(bus: MessageBus, rule: string): Promise<void> {
  await invoke(bus, {
    destination: busName,
    path: "/org/freedesktop/DBus",
    interface: busName,
    member: "AddMatch",
    signature: "s",
    body: [`type='signal',${rule}`],
  });
}

async function call(
  bus: MessageBus,
  path: string,
  of: string,
  member: string,
  signature: string,
  body: readonly unknown[],
): Promise<readonly unknown[]> {
  return await invoke(bus, { destination, path, interface: `${destination}.${of}`, member, signature, body });
}

async function invoke(bus: MessageBus, message: object): Promise<readonly unknown[]> {
  return await new Promise((resolve, reject) => {
    bus.invoke(message, (failure: { name?: string; message: unknown } | null | undefined, ...values) => {
      if (failure === null || failure === undefined) resolve(values);
      else reject(new Error(`${failure.name ?? "D-Bus"}: ${String(failure.message)}`));
    });
  });
}

/** What is asked of a bus that goes away is never answered. */
async function withEnd<Value>(bus: MessageBus, signal: AbortSignal, asked: Promise<Value>): Promise<Value> {
  const ended = Promise.withResolvers<never>();
  const onError = (cause: Error) => ended.reject(cause);
  const onEnd = () => ended.reject(new Error("the bus has hung up"));
  const onAbort = () => ended.reject(signal.reason);
  // the library tells of a failed connection by an event, once for each listener
  bus.connection.on("error", onError);
  bus.connection.on("end", onEnd);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([asked, ended.promise]);
  } finally {
    asked.catch(() => undefined);
    bus.connection.off("end", onEnd);
    signal.removeEventListener("abort", onAbort);
  }
}

function refusal(cause: unknown): BerryError {
  const said = cause instanceof Error ? cause.message : String(cause);
  const isAbsent = /ServiceUnknown|NameHasNoOwner|Spawn/.test(said);
  return new BerryError(
    "unavailable",
    isAbsent ? "avahi does not run on this machine" : "avahi could not be asked over D-Bus",
    { hint: startHint, ...(isAbsent ? {} : { cause }) },
  );
}

function limit(width: number): <Value>(work: () => Promise<Value>) => Promise<Value> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
