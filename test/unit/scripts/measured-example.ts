import type { Cost } from "../../../scripts/benches/fand-table.ts";
import type { Figure } from "../../../scripts/benches/figures.ts";
import { fleetSizes, fleetVariant } from "../../../scripts/benches/fleet-sizes.ts";
import type { Entry, Failure, Measured } from "../../../scripts/benches/measured.ts";
import { figuresOf, type Measurement } from "../../../scripts/benches/measure.ts";
import type { Result } from "../../../scripts/benches/result.ts";
import { type SectionName, sections } from "../../../scripts/benches/sections.ts";

const measurement: Measurement = {
  wallSeconds: 10,
  cpuSeconds: 5,
  emulatedSeconds: 1,
  peakMemoryBytes: 100 << 20,
};
const slower: Measurement = { ...measurement, wallSeconds: 60 };

const cost: Cost = {
  seconds: 60,
  residentBytes: 40 << 20,
  anonymousBytes: 4 << 20,
  proportionalBytes: 10 << 20,
  cpuSeconds: 0.06,
  wakeups: 60,
  logBytes: 0,
  dutyWrites: 2,
};

function resultOf(section: SectionName): Result {
  const figure = (name: string, variant?: string): Figure => ({
    bench: section,
    variant,
    name,
    unit: "s",
    berry: [2, 1, 3],
    other: [8],
  });
  switch (section) {
    case "bake-arch":
    case "bake-debian":
    case "bake-warm":
      return { kind: "figures", figures: figuresOf(section, [measurement], [slower]) };
    case "fleet-shared":
    case "fleet-plain":
      return {
        kind: "figures",
        figures: fleetSizes.flatMap((size) => [
          ...figuresOf(section, [measurement], [slower], fleetVariant(size)),
          figure("new disk a node", fleetVariant(size)),
        ]),
      };
    case "write-card":
    case "write-dd":
    case "write-disk":
    case "write-memory":
    case "write-four":
      return {
        kind: "figures",
        figures: ["wall time, read back", "CPU time", "peak memory", "written, of what is mapped"].map(
          (name) => figure(name),
        ),
      };
    case "fand": {
      const columns = [
        { name: "berry", cost },
        { name: "fancontrol", cost: { ...cost, wakeups: 180 } },
        { name: "Python loop", cost },
        { name: "node_exporter (Go)", cost: { ...cost, dutyWrites: null } },
      ];
      const tables = [{ part: "work", title: "a Pi begins to work", columns }];
      return { kind: "costs", costs: { versions: "fancontrol, Python", tables, missing: null } };
    }
    case "probe":
      return {
        kind: "figures",
        figures: ["avahi-browse", "multicast-dns", "bonjour-service"].flatMap((side) => [
          figure("nodes found", side),
          figure("whole process", side),
        ]),
      };
  }
}

/** What a bench might have found, with the names that the real one gives. */
export function entryOf(section: SectionName, changes: Partial<Entry> = {}): Entry {
  return {
    section,
    date: "2026-11-23T10:15:20.123Z",
    commit: "abc1234",
    command: `scripts/bench for ${section}`,
    quick: false,
    machine: {
      processor: "A Processor",
      cores: 2,
      memoryGib: 8,
      kernel: "6.1.0",
      qemu: "7.2.22",
      bun: "1.3.4",
    },
    load: { average: 0.5, busyPercent: 3 },
    seconds: 1654,
    result: resultOf(section),
    ...changes,
  };
}

export function failureAt(section: SectionName, date: string): Failure {
  return { section, date, commit: "fa11ed0", message: "nbdkit is not there" };
}

/** All sections, in one go. */
export const wholeMeasured: Measured = {
  entries: sections.map(({ name }) => entryOf(name)),
  failures: [],
};
