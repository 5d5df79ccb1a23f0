import { describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readIdentity } from "../../../../src/probe/announce/identity-file.ts";
import { identify } from "../../../../src/probe/announce/identity.ts";

const nothing = { treeSerial: null, treeModel: null, dmiVendor: null, dmiProduct: null };

describe("what a board says of itself", () => {
  test("is its device tree's strings, without the zero byte at their end", () => {
    const texts = {
      ...nothing,
      treeSerial: "10000000a1b2c3d4\0",
      treeModel: "Raspberry Pi 4 Model B Rev 1.4\0",
    };
    expect(identify(texts)).toEqual({ serial: "10000000a1b2c3d4", model: "Raspberry Pi 4 Model B Rev 1.4" });
  });
  test.each(["0000000000000000\0", "\0", "", " ", "a b\0", "\u{1b}[31m\0", "é\0", "1".repeat(65)])(
    "has no serial where two boards could have the same one, or it is none: %j",
    (treeSerial) => {
      expect(identify({ ...nothing, treeSerial }).serial).toBeNull();
    },
  );
  test.each([
    ["LENOVO", "20XW", "LENOVO 20XW"],
    ["Intel", "Intel NUC", "Intel NUC"],
    ["To Be Filled By O.E.M.", "X99", "X99"],
    ["ASUS", "System Product Name", null],
    [null, null, null],
    [null, "Standard PC\n", "Standard PC"],
  ])("is named by DMI where there is no device tree: %j, %j", (dmiVendor, dmiProduct, model) => {
    expect(identify({ ...nothing, dmiVendor, dmiProduct })).toEqual({ serial: null, model });
  });
  test("is read where the kernel shows it", async () => {
    const root = await mkdtemp(join(tmpdir(), "berry-board-"));
    const put = async (path: string, text: string) => {
      await mkdir(join(root, path, ".."), { recursive: true });
      await writeFile(join(root, path), text);
    };
    expect(readIdentity(root)).toEqual({ serial: null, model: null });
    await put("sys/class/dmi/id/sys_vendor", "QEMU\n");
    await put("sys/class/dmi/id/product_name", "Standard PC\n");
    expect(readIdentity(root)).toEqual({ serial: null, model: "QEMU Standard PC" });
    await put("proc/device-tree/serial-number", "10000000a1b2c3d4\0");
    await put("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0");
    expect(readIdentity(root)).toEqual({
      serial: "10000000a1b2c3d4",
      model: "Raspberry Pi 5 Model B Rev 1.0",
    });
    await rm(root, { recursive: true });
  });
});
