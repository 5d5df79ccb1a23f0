/** What a board says of itself; null: nothing that could be believed. */
export interface Identity {
  readonly serial: string | null;
  readonly model: string | null;
}

/** Files of the kernel as they are; null: there is no such file. */
export interface BoardTexts {
  /** /proc/device-tree/serial-number and model: strings that end in a zero byte (Devicetree Specification 0.4, 2.2.4). */
  readonly treeSerial: string | null;
  readonly treeModel: string | null;
  /** /sys/class/dmi/id/sys_vendor and product_name, of machines without a device tree. */
  readonly dmiVendor: string | null;
  readonly dmiProduct: string | null;
}

/** What the makers of boards leave where a name belongs. */
const placeholder =
  /^(?:to be filled|default string|system (?:product|manufacturer)|not (?:specified|applicable)|unknown$|none$|o\.e\.m\.|oem$|invalid$)/i;

/**
 * Nodes are told apart by their serial: one that two boards could share (zeros, as emulators have them) is none.
 * DMI has no serial that all may read, and often one that all boards of a maker share.
 */
export function identify(texts: BoardTexts): Identity {
  const serial = bare(texts.treeSerial);
  const vendor = named(texts.dmiVendor);
  const product = named(texts.dmiProduct);
  const isWhole = vendor === null || product === null || product.startsWith(vendor);
  return {
    serial: serial !== null && /^[0-9A-Za-z-]{1,64}$/.test(serial) && !/^0+$/.test(serial) ? serial : null,
    model: bare(texts.treeModel) ?? (isWhole ? product : `${vendor} ${product}`),
  };
}

function named(text: string | null): string | null {
  const name = bare(text);
  return name === null || placeholder.test(name) ? null : name;
}

function bare(text: string | null): string | null {
  const trimmed = text?.split("\0", 1)[0]?.trim();
  return trimmed === undefined || trimmed === "" ? null : trimmed;
}
