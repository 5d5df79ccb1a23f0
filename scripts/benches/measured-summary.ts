import { type Cost, compareCosts, type CostName } from "./fand-table.ts";
import { type Figure, median, ratio, withUnit } from "./figures.ts";
import { fleetSizes, fleetVariant } from "./fleet-sizes.ts";
import type { Measured } from "./measured.ts";
import type { SectionName } from "./sections.ts";

/** One comparison, as text. */
export interface Comparison {
  /** What both sides did, and what of it is told. */
  readonly what: string;
  readonly berry: string;
  /** What a user would take instead. */
  readonly instead: string;
  readonly other: string;
  /** In words. */
  readonly ratio: string;
}

/** A figure of a section, or a cost of the fan daemons. */
type Source =
  | { readonly section: SectionName; readonly figure: string; readonly variant?: string }
  | { readonly section: "fand"; readonly part: string; readonly cost: CostName; readonly side: string };

interface Row {
  readonly what: string;
  readonly instead: string;
  readonly source: Source;
}

const goSide = "node_exporter (Go)";
const byHand = "by hand (loop device, arch-chroot)";
const rows: readonly Row[] = [
  ...figureRows("bake-arch", "bake Arch Linux ARM", byHand, ["wall time", "CPU time", "peak memory"]),
  ...figureRows("bake-debian", "bake Debian", "mmdebstrap and a chroot", [
    "wall time",
    "CPU time",
    "peak memory",
  ]),
  ...figureRows("bake-warm", "one changed node, all else cached", "a copy of its image", ["wall time"]),
  ...fleetRows("fleet-shared", "btrfs"),
  ...fleetRows("fleet-plain", "a plain disk"),
  ...figureRows("write-card", "write and read back a card of 20 MB/s", "bmaptool, SHA-256 of its map", [
    "wall time, read back",
    "CPU time",
    "peak memory",
  ]),
  ...figureRows("write-dd", "write and read back a card of 20 MB/s", "dd, cmp", [
    "wall time, read back",
    "written, of what is mapped",
  ]),
  ...figureRows("write-disk", "write and read back a file on disk", "bmaptool", ["wall time, read back"]),
  ...figureRows("write-memory", "write and read back a file in memory", "bmaptool", ["wall time, read back"]),
  ...figureRows("write-four", "write four such cards at once", "berry, one card", ["wall time, read back"]),
  ...costRows("fancontrol", [
    "wakeups a second",
    "of a core",
    "of it, its own (anonymous)",
    "writes of a duty",
  ]),
  ...costRows("Python loop", ["wakeups a second", "of a core"]),
  ...costRows(goSide, ["wakeups a second", "of a core", "of it, its own (anonymous)"]),
  ...["avahi-browse", "multicast-dns", "bonjour-service"].flatMap((variant) =>
    figureRows("probe", "find 16 nodes on two subnets", variant, ["nodes found", "whole process"], variant),
  ),
];

/** All comparisons of what was measured, in the order of the document. @throws Error where a bench lacks a figure */
export function summarise({ entries }: Measured): Comparison[] {
  return rows.flatMap(({ what, instead, source }) => {
    const entry = entries.find(({ section }) => section === source.section);
    if (entry === undefined) return [];
    const { result } = entry;
    switch (result.kind) {
      case "figures": {
        if (!("figure" in source)) return [];
        const figure = result.figures.find(
          ({ name, variant }) => name === source.figure && variant === source.variant,
        );
        if (figure === undefined) throw new Error(`${source.section} has no figure for ${what}`);
        return [{ what, instead, ...compareFigure(figure) }];
      }
      case "costs": {
        if (!("cost" in source)) return [];
        const table = result.costs.tables.find(({ part }) => part === source.part);
        const costOf = (side: string): Cost | undefined =>
          table?.columns.find(({ name }) => name === side)?.cost;
        const [own, foreign] = [costOf("berry"), costOf(source.side)];
        if (own === undefined || foreign === undefined) return [];
        const compared = compareCosts(source.cost, own, foreign);
        if (compared === null) return [];
        return [{ what, instead, berry: compared.first, other: compared.other, ratio: compared.ratio }];
      }
    }
  });
}

/** A Markdown table, ending in a line end. */
export function summaryTable(comparisons: readonly Comparison[]): string {
  const head = ["what is done", "berry", "what people take instead", "that takes", "berry takes"];
  const rule = ["---", "---:", "---", "---:", "---:"];
  const lines = comparisons.map(({ what, berry, instead, other, ratio }) => [
    what,
    berry,
    instead,
    other,
    ratio,
  ]);
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function compareFigure({ berry, other, unit }: Figure): Pick<Comparison, "berry" | "other" | "ratio"> {
  const [own, foreign] = [median(berry), median(other)];
  return {
    berry: withUnit(own, unit),
    other: withUnit(foreign, unit),
    ratio: ratio(own, foreign),
  };
}

function figureRows(
  section: SectionName,
  what: string,
  instead: string,
  figures: readonly string[],
  variant?: string,
): Row[] {
  return figures.map((figure) => ({
    what: `${what}: ${figure}`,
    instead,
    source: { section, figure, ...(variant === undefined ? {} : { variant }) },
  }));
}

function fleetRows(section: SectionName, where: string): Row[] {
  const title = (size: (typeof fleetSizes)[number]) => `bake ${fleetVariant(size)} on ${where}, all cached`;
  const largest = fleetSizes[fleetSizes.length - 1] ?? 1;
  return [
    ...fleetSizes.flatMap((size) =>
      figureRows(section, title(size), "cp --sparse=always a node", ["wall time"], fleetVariant(size)),
    ),
    ...figureRows(
      section,
      title(largest),
      "cp --sparse=always a node",
      ["new disk a node"],
      fleetVariant(largest),
    ),
  ];
}

function costRows(side: string, costs: readonly CostName[]): Row[] {
  return costs.map((cost) => ({
    what: `drive a fan while a Pi begins to work: ${
      cost === "of it, its own (anonymous)" ? "memory of its own" : cost
    }`,
    instead: side === goSide ? `${goSide}, which drives none` : side,
    source: { section: "fand", part: "work", cost, side },
  }));
}
