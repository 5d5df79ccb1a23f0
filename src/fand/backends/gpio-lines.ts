/**
 * The requests of the kernel's GPIO character device, version 2, as bytes in the order of the machine, which is
 * little-endian wherever berry runs (kernel: include/uapi/linux/gpio.h).
 */

/** _IOWR(0xB4, 0x05, struct gpio_v2_line_info) */
export const getLineInfoRequest = 0xc100b405;
/** _IOWR(0xB4, 0x07, struct gpio_v2_line_request) */
export const getLineRequest = 0xc250b407;
/** _IOWR(0xB4, 0x0E, struct gpio_v2_line_values) */
export const getValuesRequest = 0xc010b40e;
/** _IOWR(0xB4, 0x0F, struct gpio_v2_line_values) */
export const setValuesRequest = 0xc010b40f;

const sizes = { request: 592, values: 16, consumer: 32 } as const;
const at = {
  consumer: 256,
  flags: 288,
  attributeCount: 296,
  attribute: 320,
  lineCount: 560,
  file: 588,
} as const;
const flags = { activeLow: 1n << 1n, output: 1n << 3n } as const;
const attributeOutputValues = 2;

export interface LineRequest {
  readonly line: number;
  /** As `gpioinfo` shows it: at most 31 bytes of ASCII. */
  readonly consumer: string;
  readonly isActiveLow: boolean;
  /** What the line is from the first moment on: there is no time in between at which the fan stops. */
  readonly isActive: boolean;
}

/** One line as an output. */
export function encodeLineRequest(request: LineRequest): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizes.request);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, request.line, true);
  bytes.set(new TextEncoder().encode(request.consumer).subarray(0, sizes.consumer - 1), at.consumer);
  view.setBigUint64(at.flags, flags.output | (request.isActiveLow ? flags.activeLow : 0n), true);
  view.setUint32(at.attributeCount, 1, true);
  view.setUint32(at.attribute, attributeOutputValues, true);
  view.setBigUint64(at.attribute + 8, request.isActive ? 1n : 0n, true);
  // which of the lines of this request the attribute is for
  view.setBigUint64(at.attribute + 16, 1n, true);
  view.setUint32(at.lineCount, 1, true);
  return bytes;
}

/** The file of the line, from an answered request. */
export function decodeLineFile(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(at.file, true);
}

export function encodeValue(isActive: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizes.values);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, isActive ? 1n : 0n, true);
  view.setBigUint64(8, 1n, true);
  return bytes;
}

export function decodeValue(bytes: Uint8Array): boolean {
  return (new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true) & 1n) === 1n;
}

/** A question for who has a line; the answer is in the same bytes. */
export function encodeLineInfo(line: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(256);
  new DataView(bytes.buffer).setUint32(64, line, true);
  return bytes;
}

/** Who asked for the line, as it calls itself; null: nobody, or somebody without a name. */
export function decodeLineConsumer(bytes: Uint8Array): string | null {
  const isUsed = (new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(72, true) & 1n) === 1n;
  const name = new TextDecoder("latin1").decode(bytes.subarray(32, 64)).split("\0", 1)[0] ?? "";
  return isUsed && name !== "" ? name : null;
}
