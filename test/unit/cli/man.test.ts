import { expect, test } from "bun:test";
import { renderManual } from "../../../src/cli/man.ts";
import { defineGroup, defineVerb } from "../../../src/cli/verb.ts";

const odd = defineVerb({
  description: "do it; 'quoted' and back\\slash",
  examples: ["berry odd --how 'x y' ~/a"],
  args: {
    how: { type: "string", alias: "o", valueHint: "WAY", default: "fast", description: ".starts with a dot" },
    color: { type: "boolean", default: true, negativeDescription: "plain" },
    one: { type: "positional", required: false, description: "'starts with a quote" },
  },
  rest: { name: "MORE", description: "others", atLeast: 1 },
  run: () => undefined,
});
const below = defineGroup({
  description: "below",
  examples: ["berry below"],
  defaultVerb: "odd",
  commands: {
    odd: { description: odd.description, load: () => Promise.resolve(odd) },
    own: { description: "hidden", hidden: true, load: () => Promise.resolve(odd) },
  },
});
const root = defineGroup({
  description: "above",
  examples: ["berry"],
  commands: {
    odd: { description: odd.description, load: () => Promise.resolve(odd) },
    below: { description: below.description, load: () => Promise.resolve(below) },
  },
});

test("the manual has a page for the root and one for each group, with every shown verb and its flags", async () => {
  const pages = await renderManual(root, "berry", { version: "1.2.3", date: "2026-01-02" });
  expect(pages.map(({ name }) => name)).toEqual(["berry", "berry-below"]);
  const [first, second] = pages.map(({ text }) => text);
  expect(first).toContain('.TH "BERRY" 1 "2026\\-01\\-02" "berry 1.2.3" "berry"');
  expect(first).toContain("\\fBberry\\-below\\fP(1)");
  expect(second).toContain('.SS "berry below odd [ONE] MORE…"');
  expect(second).toContain(
    "\\fB\\-o\\fP, \\fB\\-\\-how\\fP \\fIWAY\\fP\n\\&.starts with a dot (default: fast)",
  );
  expect(second).toContain("\n\\&'starts with a quote\n");
  expect(second).toContain("\\fB\\-\\-no\\-color\\fP\nplain");
  expect(second).toContain("back\\eslash");
  expect(second).not.toContain("hidden");
});
