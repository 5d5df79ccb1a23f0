import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { fleetSizes, fleetVariant } from "../../../scripts/benches/fleet-sizes.ts";
import { nothingMeasured, withFailure } from "../../../scripts/benches/measured.ts";
import {
  readmeBlock,
  renderDocument,
  renderReadmeBlock,
  withReadmeBlock,
} from "../../../scripts/benches/measured-document.ts";
import { ownFiles, readMeasured } from "../../../scripts/benches/measured-file.ts";
import { summarise } from "../../../scripts/benches/measured-summary.ts";
import { sections } from "../../../scripts/benches/sections.ts";
import { entryOf, failureAt, wholeMeasured } from "./measured-example.ts";

describe("the summary", () => {
  test("compares medians, whatever is measured", () => {
    expect(summarise({ entries: [entryOf("write-four")], failures: [] })).toEqual([
      {
        what: "write four such cards at once: wall time, read back",
        berry: "2.00 s",
        instead: "berry, one card",
        other: "8.00 s",
        ratio: "4.00 × less",
      },
    ]);
  });

  test("compares a fan daemon with each of the others, and no duty of one that drives no fan", () => {
    const rows = summarise({ entries: [entryOf("fand")], failures: [] });
    expect(rows.filter(({ what }) => what.endsWith("wakeups a second"))).toMatchObject([
      { instead: "fancontrol", berry: "1", other: "3", ratio: "3 × less" },
      { instead: "Python loop", ratio: "as much" },
      { instead: "node_exporter (Go), which drives none", ratio: "as much" },
    ]);
    expect(rows.filter(({ what }) => what.endsWith("writes of a duty"))).toHaveLength(1);
  });

  test("tells the cases of a bench apart", () => {
    const figures = fleetSizes.flatMap((size) =>
      ["wall time", "new disk a node"].map((name) => ({
        bench: "fleet",
        variant: fleetVariant(size),
        name,
        unit: "s" as const,
        berry: [size],
        other: [100],
      })),
    );
    const entry = entryOf("fleet-plain", { result: { kind: "figures", figures } });
    expect(summarise({ entries: [entry], failures: [] }).map(({ berry }) => berry)).toEqual([
      "1.00 s",
      "5.00 s",
      "20.0 s",
      "20.0 s",
    ]);
  });

  test("has something of every section", () => {
    for (const { name } of sections)
      expect(summarise({ entries: [entryOf(name)], failures: [] }).length, name).toBeGreaterThan(0);
  });

  test("says so where a bench no longer has a figure that it wants", () => {
    const entry = entryOf("bake-warm", { result: entryOf("write-dd").result });
    expect(() => summarise({ entries: [entry], failures: [] })).toThrow(
      "bake-warm has no figure for one changed node",
    );
  });
});

describe("the document", () => {
  test("has every section, with when and on which commit it was measured", () => {
    const debian = entryOf("bake-debian", { date: "2026-11-20T08:30:00.000Z", commit: "0ldc0de" });
    const text = renderDocument({ entries: [debian, entryOf("probe")], failures: [] });
    expect([...(text.match(/^## (.*)$/gm) ?? [])]).toEqual(
      ["Summary", "When and of what", ...sections.map(({ name }) => name)].map((title) => `## ${title}`),
    );
    expect(text).toContain(
      "| bake-debian | 2026-11-20 08:30 | 0ldc0de | machine 1 | 0.50 | 3 % | 28 min |\n",
    );
    expect(text).toContain("`scripts/bench for bake-debian` on 2026-11-20 08:30 at 0ldc0de.\n");
    expect(text).toContain("| probe | 2026-11-23 10:15 | abc1234 |");
    expect(text).toContain("| bake-arch | not measured |");
  });

  test("names a machine once, and another one beside it", () => {
    const first = entryOf("fand");
    const other = entryOf("probe", { machine: { ...first.machine, cores: 64 } });
    const text = renderDocument({ entries: [first, other, entryOf("write-dd")], failures: [] });
    expect([...(text.match(/^- machine .*$/gm) ?? [])]).toEqual([
      "- machine 1: 2 × A Processor, 8 GiB, Linux 6.1.0, qemu 7.2.22, bun 1.3.4",
      "- machine 2: 64 × A Processor, 8 GiB, Linux 6.1.0, qemu 7.2.22, bun 1.3.4",
    ]);
    expect(text).toContain("| probe | 2026-11-23 10:15 | abc1234 | machine 2 |");
  });

  test("tells a failure in its place, above the figures of before", () => {
    const measured = withFailure(
      { entries: [entryOf("write-dd")], failures: [] },
      failureAt("write-dd", "2026-11-24T09:00:00.000Z"),
    );
    const text = renderDocument(withFailure(measured, failureAt("probe", "2026-11-24T09:00:00.000Z")));
    expect(text).toContain(
      "## write-dd\n\n**Failed** on 2026-11-24 09:00 at fa11ed0: nbdkit is not there\n\n`scripts/bench for write-dd` on 2026-11-23 10:15 at abc1234.\n\n| bench |",
    );
    expect(text).toContain("| write-dd | 2026-11-23 10:15, then **failed** |");
    expect(text).toContain("| probe | **failed** |");
    expect(text).toContain("fa11ed0: nbdkit is not there\n\nNothing was measured before.\n");
  });

  test("warns of what was measured in no time", () => {
    const text = renderDocument({
      entries: [entryOf("fand", { quick: true }), entryOf("probe")],
      failures: [],
    });
    expect(text).toContain("**Quick: fand did as little as possible.");
    expect(text).toContain("**Quick.** `scripts/bench for fand`");
    expect(renderDocument(wholeMeasured)).not.toContain("Quick");
  });
});

describe("the block in README", () => {
  const readme = "# berry\n\n<!-- measured: -->\nold\n<!-- :measured -->\n\nmore\n";

  test("takes the place of what stands between the markers", () => {
    const next = withReadmeBlock(readme, "\nnew\n\n");
    expect(next).toBe("# berry\n\n<!-- measured: -->\n\nnew\n\n<!-- :measured -->\n\nmore\n");
    expect(readmeBlock(next ?? "")).toBe("\nnew\n\n");
  });

  test("is nowhere without both markers in lines of their own", () => {
    for (const without of [
      readme.replace("<!-- measured: -->\n", ""),
      readme.replace("<!-- :measured -->\n", ""),
      readme.replace("\n<!-- measured: -->", " `<!-- measured: -->`"),
    ])
      expect(withReadmeBlock(without, "new\n")).toBeNull();
  });

  test("says once where all comes from, when it comes from one run", () => {
    expect(renderReadmeBlock(wholeMeasured)).toStartWith(
      "\nMeasured on 2026-11-23 at abc1234 (2 × A Processor, 8 GiB, Linux 6.1.0, qemu 7.2.22, bun 1.3.4). Runs,",
    );
  });

  test("says of each section where it comes from, when it comes from several", () => {
    const debian = entryOf("bake-debian", { commit: "0ldc0de" });
    const entries = [debian, entryOf("probe"), entryOf("fand")];
    expect(renderReadmeBlock({ entries, failures: [] })).toContain(
      "1.3.4):\n\n- bake-debian: 2026-11-23 at 0ldc0de\n- fand, probe: 2026-11-23 at abc1234\n\nRuns,",
    );
    const { machine } = debian;
    const elsewhere = { entries: [debian, entryOf("fand", { machine: { ...machine, cores: 64 } })] };
    expect(renderReadmeBlock({ ...elsewhere, failures: [] })).toContain(
      "- fand: 2026-11-23 at abc1234, 64 × A Processor",
    );
  });

  test("shows nothing of a quick run", () => {
    const entries = [entryOf("probe", { quick: true })];
    expect(renderReadmeBlock({ entries, failures: [] })).toBe(renderReadmeBlock(nothingMeasured));
    expect(renderReadmeBlock({ entries: [...entries, entryOf("write-four")], failures: [] })).not.toContain(
      "probe",
    );
  });
});

describe("what is committed", () => {
  const rerender = "bun scripts/bench.ts render";

  test("README shows what docs/measured.json says", async () => {
    const measured = await readMeasured(ownFiles.data);
    const block = readmeBlock(await readFile(`${import.meta.dirname}/../../../README.md`, "utf8"));
    if (block === null)
      expect(measured, "README lacks the markers <!-- measured: --> and <!-- :measured -->").toEqual(
        nothingMeasured,
      );
    else expect(block, rerender).toBe(renderReadmeBlock(measured));
  });

  test("docs/measured.md shows what docs/measured.json says, of which nothing is quick", async () => {
    const measured = await readMeasured(ownFiles.data);
    expect(measured.entries.filter(({ quick }) => quick)).toEqual([]);
    const document = await readFile(ownFiles.document, "utf8").catch(() => renderDocument(nothingMeasured));
    expect(document, rerender).toBe(renderDocument(measured));
  });
});
