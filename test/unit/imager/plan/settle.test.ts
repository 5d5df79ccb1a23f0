import { describe, expect, test } from "bun:test";
import { planScript } from "../../../../src/imager/script/script.ts";
import type { Plan } from "../../../../src/imager/bake-plan.ts";
import type { Step } from "../../../../src/imager/step.ts";
import { arch, debian, makeCluster, makeFacts, makeNode, planOf } from "./cluster-values.ts";

function planAt(target: string, sourceDateEpoch: number | null): Plan {
  const node = makeNode("pi1", { image: { packages: ["vim"] } });
  return planOf(makeCluster(target, [node]), { facts: makeFacts({ sourceDateEpoch }) });
}

function kindsOf(steps: readonly Step[]): string[] {
  return steps.map((step) => step.do);
}

const epoch = 1_700_000_000;

describe.each([arch, debian])("a plan with SOURCE_DATE_EPOCH for %s", (target) => {
  test("settles every layer of an image in the end, and the image before it is packed", () => {
    for (const { name, steps } of planAt(target, epoch).layers) {
      if (name === "native-tools") continue;
      const last = kindsOf(steps).slice(name === "image" ? -3 : -2);
      expect([name, ...last]).toEqual([
        name,
        "remove",
        "settle",
        ...(name === "image" ? ["pack-image"] : []),
      ]);
    }
  });
  test("settles what a node alone has before it is written, and looks through nothing else", () => {
    const [node] = planAt(target, epoch).nodes;
    expect(node?.steps.at(-2)).toMatchObject({ do: "settle", epochSeconds: epoch, upper: node?.upper });
    expect(node?.steps.at(-1)?.do).toBe("patch-image");
  });
  test("makes each layer anew for another epoch, but for programs that only the bake uses", () => {
    const keys = [null, 0, epoch].map((seconds) => planAt(target, seconds).layers);
    const [none = [], ...others] = keys.map((layers) => layers.filter(({ name }) => name !== "native-tools"));
    for (const layers of others)
      for (const [index, { key }] of layers.entries()) expect(none[index]?.key).not.toBe(key);
    const tools = keys.flatMap((layers) => layers.filter(({ name }) => name === "native-tools"));
    expect(new Set(tools.map(({ key }) => key)).size).toBeLessThan(2);
  });
  test("leaves no seed of the file system to chance", () => {
    const packed = (seconds: number | null) =>
      planAt(target, seconds).layers.flatMap(({ steps }) => steps.filter((step) => step.do === "pack-image"));
    expect(packed(epoch)).toMatchObject([
      { settled: { epochSeconds: epoch, rootUuid: expect.stringMatching(/^[0-9a-f-]{36}$/) } },
    ]);
    expect(packed(null)[0]).not.toHaveProperty("settled");
  });
  test("tells the epoch to every program of its script", () => {
    const script = planScript(planAt(target, epoch), { isRoot: false });
    expect(script).toContain(`\nexport SOURCE_DATE_EPOCH=${epoch} E2FSPROGS_FAKE_TIME=${epoch}\n`);
    expect(script).toMatch(
      new RegExp(`\\nsettle "\\$root" ${epoch}\\n\\n# .*\\npack_image .* ${epoch} [0-9a-f-]{36}\\n`),
    );
    expect(script).toMatch(new RegExp(`\\nsettle "\\$root" ${epoch} "\\$work/upper"\\n`));
  });
});

test.each([arch, debian])("a plan without it, for %s, settles nothing and tells nothing", (target) => {
  const plan = planAt(target, null);
  expect([...plan.layers, ...plan.nodes].flatMap(({ steps }) => kindsOf(steps))).not.toContain("settle");
  expect(planScript(plan, { isRoot: false })).not.toContain("SOURCE_DATE_EPOCH");
});
