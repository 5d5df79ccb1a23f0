import { afterEach, describe, expect, test } from "bun:test";
import { openSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gpioBackend } from "../../../../src/fand/backends/gpio-file.ts";
import { type FakeBoard, fakeBoard } from "../../../fixtures/fand-boards.ts";

let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});

/** A line that is busy until it was taken from sysfs. */
async function busyLine(exported: string): Promise<{ open(): void; unexported(): string }> {
  board = await fakeBoard("pi-4");
  const one = board;
  await one.put({
    "sys/class/gpio/unexport": "",
    "sys/class/gpio/gpiochip512/label": "pinctrl-bcm2711\n",
    "sys/class/gpio/gpiochip512/base": "512\n",
    "sys/class/gpio/gpiochip570/label": "raspberrypi-exp-gpio\n",
    "sys/class/gpio/gpiochip570/base": "570\n",
    [`sys/class/gpio/${exported}/direction`]: "out\n",
  });
  const unexported = () => readFileSync(join(one.folder, "sys/class/gpio/unexport"), "utf8").trim();
  const device = join(one.folder, "dev/gpiochip0");
  const output = { kind: "gpio", label: "pinctrl-bcm2711", line: 18, isInverted: false, device } as const;
  const backend = gpioBackend(
    output,
    (_file, request, bytes) => {
      if (request === 0xc250b407) {
        if (unexported() === "") throw new Error("EBUSY in ioctl");
        new DataView(bytes.buffer).setInt32(588, openSync("/dev/null", "r"), true);
      }
      if (request === 0xc010b40e) bytes[0] = 1;
    },
    join(one.folder, "sys/class/gpio"),
  );
  return { open: () => backend.open(), unexported };
}

describe("a GPIO line that the script holds after the daemon's death", () => {
  test("is taken over from there", async () => {
    const { open, unexported } = await busyLine("gpio530");
    open();
    expect(unexported()).toBe("530");
  });
  test("is left alone where it is another's", async () => {
    const { open, unexported } = await busyLine("gpio529");
    expect(open).toThrow("is taken");
    expect(unexported()).toBe("");
  });
  test("can be taken over from within the unit's sandbox", () => {
    const unit = readFileSync(resolve(import.meta.dir, "../../../../systemd/berry-fand.service"), "utf8");
    const isReadOnly = /^ProtectKernelTunables=yes$/m.test(unit);
    expect(isReadOnly && !/^ReadWritePaths=.*\/sys\/class\/gpio/m.test(unit)).toBe(false);
  });
});
