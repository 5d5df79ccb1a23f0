import { describe, expect, test } from "bun:test";
import { soughtPrograms } from "../../../../src/imager/facts/collect-facts.ts";
import { everyNeed } from "../../../../src/imager/preflight.ts";

describe("the programs of this host", () => {
  test("are all looked for that preflight asks for", () => {
    const emulators = everyNeed.filter(({ program }) => program.startsWith("qemu-"));
    expect(emulators).toHaveLength(1);
    for (const { program } of everyNeed)
      if (!program.startsWith("qemu-")) expect(soughtPrograms).toContain(program);
  });
});
