const machines: Readonly<Record<number, string>> = {
  3: "i386",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv64",
};

/** Architecture of a little-endian ELF file by the first 20 bytes of its header (e_machine); null: not one. */
export function elfMachine(header: Uint8Array): string | null {
  if (header.length < 20) return null;
  const [a, b, c, d] = header;
  if (a !== 0x7f || b !== 0x45 || c !== 0x4c || d !== 0x46) return null;
  const machine = (header[18] ?? 0) | ((header[19] ?? 0) << 8);
  return machines[machine] ?? `machine ${machine}`;
}

/** Whether a 64-bit little-endian ELF file asks for a dynamic linker (PT_INTERP); `head` must hold its program headers. */
export function isDynamic(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 64) return false;
  const offset = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  for (let index = 0; index < count; index += 1) {
    const at = offset + index * size;
    if (at + 4 > head.length) return false;
    if (view.getUint32(at, true) === 3) return true;
  }
  return false;
}
