import { describe, expect, test } from "bun:test";
import { elfMachine, isDynamic } from "../../../../src/imager/formats/elf.ts";

/** A 64-bit little-endian ELF header, as elf(5), and its program headers. */
function elf(machine: number, segments: readonly number[] = []): Uint8Array {
  const file = new Uint8Array(64 + segments.length * 56);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  for (const [index, type] of segments.entries()) view.setUint32(64 + index * 56, type, true);
  return file;
}

const [load, dynamic, interpreter, note] = [1, 2, 3, 4];

describe("the architecture of a program", () => {
  test.each([
    [183, "aarch64"],
    [62, "x86_64"],
    [3, "i386"],
    [40, "arm"],
    [243, "riscv64"],
    [258, "machine 258"],
  ])("%d is %s", (machine, name) => {
    expect(elfMachine(elf(machine))).toBe(name);
  });
  test("is read of the first 20 bytes", () => {
    expect(elfMachine(elf(183).subarray(0, 20))).toBe("aarch64");
    expect(elfMachine(elf(183).subarray(0, 19))).toBeNull();
  });
  test("is nothing for what is no program", () => {
    expect(elfMachine(new TextEncoder().encode("#!/bin/sh\nexec something else\n"))).toBeNull();
    expect(elfMachine(new Uint8Array())).toBeNull();
  });
});

describe("a program", () => {
  test("is dynamic when it names an interpreter, wherever", () => {
    expect(isDynamic(elf(62, [load, interpreter, dynamic]))).toBe(true);
    expect(isDynamic(elf(62, [load, load, note, interpreter]))).toBe(true);
  });
  test("is static when it names none, also when it relocates itself", () => {
    expect(isDynamic(elf(62, [load, note]))).toBe(false);
    expect(isDynamic(elf(62, [load, dynamic]))).toBe(false);
  });
  test("that is cut short is not read beyond its end", () => {
    expect(isDynamic(elf(62, [load, interpreter]).subarray(0, 100))).toBe(false);
    expect(isDynamic(new Uint8Array(10))).toBe(false);
  });
  test("is read where it lies in a larger buffer", () => {
    const whole = new Uint8Array(1000);
    whole.set(elf(62, [interpreter]), 100);
    expect(isDynamic(whole.subarray(100))).toBe(true);
  });
});
