import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Identity, identify } from "./identity.ts";

/** @param root `/`, but for tests */
export function readIdentity(root: string): Identity {
  const text = (path: string) => {
    try {
      return readFileSync(join(root, path), "utf8");
    } catch {
      return null;
    }
  };
  return identify({
    treeSerial: text("proc/device-tree/serial-number"),
    treeModel: text("proc/device-tree/model"),
    dmiVendor: text("sys/class/dmi/id/sys_vendor"),
    dmiProduct: text("sys/class/dmi/id/product_name"),
  });
}
