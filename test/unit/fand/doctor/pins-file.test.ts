import { afterEach, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeLineConsumer, encodeLineInfo } from "../../../../src/fand/backends/gpio-lines.ts";
import { collectPins } from "../../../../src/fand/doctor/pins-file.ts";
import { type FakeBoard, fakeBoard } from "../../../fixtures/fand-boards.ts";

let board: FakeBoard | null = null;
afterEach(async () => {
  if (board !== null) await rm(board.folder, { recursive: true });
  board = null;
});

/** struct gpio_v2_line_info, as a kernel of 64 bits answers. */
function answer(line: number, consumer: string, flags: number): Uint8Array {
  const bytes = Buffer.alloc(256);
  bytes.write("GPIO18", 0);
  bytes.write(consumer, 32);
  bytes.writeUInt32LE(line, 64);
  bytes.writeBigUInt64LE(BigInt(flags), 72);
  return bytes;
}

describe("who has a pin", () => {
  test("is asked in the kernel's own words", () => {
    const question = encodeLineInfo(18);
    expect(question).toHaveLength(256);
    expect(Buffer.from(question).equals(Buffer.from(answer(18, "", 0)).fill(0, 0, 32))).toBe(true);
    expect(decodeLineConsumer(answer(18, "spi0 CS0", 0b1001))).toBe("spi0 CS0");
    expect(decodeLineConsumer(answer(18, "", 1))).toBeNull();
    // a name from before, of a line that is free
    expect(decodeLineConsumer(answer(18, "led0", 0b100))).toBeNull();
  });
  test("is not known where nobody may ask", async () => {
    board = await fakeBoard("pi-4");
    const chip = { device: join(board.folder, "dev/gpiochip0"), label: "pinctrl-bcm2711", isWritable: true };
    const refuse = () => {
      throw new Error("EPERM in ioctl");
    };
    const unknown = [{ pin: 18, consumer: null, device: null }];
    expect(collectPins([18], chip, refuse, board.roots.sys)).toEqual(unknown);
    expect(collectPins([18], chip, null, board.roots.sys)).toEqual(unknown);
    expect(collectPins([18], { ...chip, device: "/nonexistent" }, refuse, board.roots.sys)).toEqual(unknown);
    expect(collectPins([18], undefined, refuse, board.roots.sys)).toEqual([]);
  });
});
