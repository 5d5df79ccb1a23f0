import { dlopen, ptr } from "bun:ffi";
import { closeSync, writeSync } from "node:fs";

/** Tells systemd how the service is (sd_notify(3)); silent where nobody listens. Never throws. */
export interface Notifier {
  send(...assignments: readonly string[]): void;
}

const unix = 1;
const datagram = 2;
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;

/**
 * A datagram socket to NOTIFY_SOCKET, connected once: a message is a plain write then.
 * @param address a path, or `@` and a name of the abstract namespace; undefined: not under systemd
 */
export function openNotifier(address: string | undefined): Notifier {
  if (address === undefined || !/^[/@]./.test(address)) return { send: () => undefined };
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["int", "int", "int"], returns: "int" },
    connect: { args: ["int", "ptr", "u32"], returns: "int" },
  });
  const name = Buffer.from(address);
  if (address.startsWith("@")) name[0] = 0;
  // struct sockaddr_un: the family, then the path; a name of the abstract namespace has no end mark
  const socketAddress = Buffer.concat([
    Buffer.from([unix, 0]),
    name,
    Buffer.alloc(address.startsWith("@") ? 0 : 1),
  ]);
  const file = symbols.socket(unix, datagram | closeOnExec | nonBlocking, 0);
  if (file < 0) return { send: () => undefined };
  if (symbols.connect(file, ptr(socketAddress), socketAddress.length) !== 0) {
    closeSync(file);
    return { send: () => undefined };
  }
  return {
    send(...assignments) {
      try {
        writeSync(file, assignments.join("\n"));
      } catch {
        // a full queue: the next message says the same
      }
    },
  };
}
