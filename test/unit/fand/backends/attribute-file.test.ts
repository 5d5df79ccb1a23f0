import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAttribute, writeAttribute } from "../../../../src/fand/backends/attribute-file.ts";

test("an attribute that can only be written, such as export, is not asked to be read", () => {
  const folder = mkdtempSync(join(tmpdir(), "berry-attribute-"));
  const path = join(folder, "export");
  // root may read it all the same, but for sysfs
  writeFileSync(path, "", { mode: 0o200 });
  writeAttribute(path, 2);
  chmodSync(path, 0o600);
  expect(readFileSync(path, "utf8")).toBe("2\n");
  rmSync(folder, { recursive: true });
});

test("an attribute is read as its first line, and holds a number or none", () => {
  const folder = mkdtempSync(join(tmpdir(), "berry-attribute-"));
  const path = join(folder, "pwm1");
  for (const [text, value] of [
    ["255\n", 255],
    ["0\n00\n", 0],
    ["", Number.NaN],
    ["-1\n", Number.NaN],
    ["fast\n", Number.NaN],
  ] as const) {
    writeFileSync(path, text);
    const attribute = openAttribute(path);
    expect(attribute.read()).toBe(value);
    attribute.dispose();
    attribute.dispose();
  }
  expect(() => openAttribute(join(folder, "none"))).toThrow("none: failed");
  writeAttribute(path, 7);
  expect(readFileSync(path, "utf8")).toStartWith("7\n");
  rmSync(folder, { recursive: true });
});
