import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { dlopen, ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openNotifier } from "../../../../src/fand/daemon/notify-ffi.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-notify-"));
});
afterAll(() => rm(folder, { recursive: true }));

const { symbols } = dlopen("libc.so.6", {
  socket: { args: ["int", "int", "int"], returns: "int" },
  bind: { args: ["int", "ptr", "u32"], returns: "int" },
  recv: { args: ["int", "ptr", "u64", "int"], returns: "i64" },
});
const withoutWaiting = 0x40;

/** A socket such as systemd's. */
function listen(address: string): { receive(): string | null; close(): void } {
  const file = symbols.socket(1, 2, 0);
  const name = address.startsWith("@") ? `\0${address.slice(1)}` : `${address}\0`;
  const bytes = Buffer.concat([Buffer.from([1, 0]), Buffer.from(name)]);
  expect(symbols.bind(file, ptr(bytes), bytes.length)).toBe(0);
  return {
    receive() {
      const buffer = Buffer.alloc(4096);
      const length = Number(symbols.recv(file, ptr(buffer), buffer.length, withoutWaiting));
      return length < 0 ? null : buffer.toString("utf8", 0, length);
    },
    close: () => closeSync(file),
  };
}

describe("systemd is told", () => {
  test.each(["path", "abstract"])("by a datagram to an address that is a %s", (kind) => {
    const address = kind === "path" ? join(folder, "notify") : `@berry-${process.pid}-${folder}`;
    const systemd = listen(address);
    const notifier = openNotifier(address);
    notifier.send("READY=1", "STATUS=cpu 48 °C");
    notifier.send("WATCHDOG=1");
    expect([systemd.receive(), systemd.receive(), systemd.receive()]).toEqual([
      "READY=1\nSTATUS=cpu 48 °C",
      "WATCHDOG=1",
      null,
    ]);
    systemd.close();
    // systemd may be executing itself anew
    notifier.send("WATCHDOG=1");
  });
  test("nothing where nobody listens", () => {
    for (const address of [undefined, "", "nonsense", join(folder, "nowhere")])
      openNotifier(address).send("READY=1");
  });
});
