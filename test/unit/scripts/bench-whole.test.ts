import { describe, expect, test } from "bun:test";
import { type Measured, nothingMeasured } from "../../../scripts/benches/measured.ts";
import { type Section, type SectionName, sections } from "../../../scripts/benches/sections.ts";
import {
  chooseSections,
  describeEstimate,
  measureAll,
  type WholeRun,
} from "../../../scripts/benches/whole.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { entryOf, failureAt } from "./measured-example.ts";

const named = (...names: SectionName[]): Section[] => sections.filter(({ name }) => names.includes(name));
const trio = named("write-dd", "fand", "probe");
const now = "2026-11-23T12:00:00.000Z";

/** A run whose benches take no time. */
function fakeRun(measure: WholeRun["measure"]) {
  const kept: Measured[] = [];
  const run: WholeRun = {
    measure,
    commit: async () => "c0ffee1",
    now: () => new Date(now),
    keep: (parts) => kept.push(parts),
    say: () => {},
  };
  return { run, kept };
}

const entryFor = (section: Section) => entryOf(section.name as SectionName);

describe("a run of all benches", () => {
  test("measures one after the other, and keeps each as soon as it has ended", async () => {
    const { run, kept } = fakeRun(async (section) => entryFor(section));
    const measured = await measureAll(trio, nothingMeasured, run, new AbortController().signal);
    expect(measured.entries).toEqual(trio.map(entryFor));
    expect(kept.map(({ entries }) => entries.length)).toEqual([1, 2, 3]);
  });

  test("goes on after a bench that fails, of which it keeps one line that fits into a table", async () => {
    const { run, kept } = fakeRun(async (section) => {
      if (section.name === "fand") throw new Error("\n`a | b`: exit 1\nand all that it wrote\n");
      return entryFor(section);
    });
    const measured = await measureAll(trio, nothingMeasured, run, new AbortController().signal);
    expect(measured.entries.map(({ section }) => section)).toEqual(["write-dd", "probe"]);
    expect(measured.failures).toEqual([
      { section: "fand", date: now, commit: "c0ffee1", message: "a  b: exit 1" },
    ]);
    expect(kept).toHaveLength(3);
  });

  test("ends where it is interrupted: that bench has not failed, and what was finished is kept", async () => {
    const abort = new AbortController();
    const { run, kept } = fakeRun(async (section) => {
      if (section.name !== "fand") return entryFor(section);
      abort.abort(new Error("ended by SIGINT"));
      throw new Error("killed");
    });
    const failure = await failureOf(measureAll(trio, nothingMeasured, run, abort.signal));
    expect(failure).toEqual(new Error("ended by SIGINT"));
    expect(kept).toEqual([{ entries: [entryOf("write-dd")], failures: [] }]);
  });

  test("keeps what a run before has left", async () => {
    const { run } = fakeRun(async (section) => entryFor(section));
    const left = { entries: [entryOf("bake-arch")], failures: [failureAt("probe", now)] };
    const measured = await measureAll(trio, left, run, new AbortController().signal);
    expect(measured).toEqual({ entries: [entryOf("bake-arch"), ...trio.map(entryFor)], failures: [] });
  });
});

describe("what a run measures", () => {
  const choose = (changes: Partial<Parameters<typeof chooseSections>[0]>) =>
    chooseSections({ only: null, skip: new Set(), quick: false, resume: null, ...changes }).map(
      ({ name }) => name,
    );
  const all = sections.map(({ name }): string => name);

  test("is everything; quickly, all but what cannot be quick and was not asked for", () => {
    expect(choose({})).toEqual(all);
    expect(choose({ quick: true })).toEqual(all.filter((name) => name !== "bake-debian"));
    expect(choose({ quick: true, only: new Set(["bake-debian"]) })).toEqual(["bake-debian"]);
  });

  test("is not what is left out", () => {
    expect(choose({ only: new Set(["fand", "probe"]), skip: new Set(["fand"]) })).toEqual(["probe"]);
  });

  test("is what is left to do of a run that goes on: what failed, too, and what was only quick", () => {
    const resume = {
      entries: [entryOf("write-dd"), entryOf("probe", { quick: true })],
      failures: [failureAt("fand", now)],
    };
    expect(choose({ resume })).toEqual(all.filter((name) => name !== "write-dd"));
  });

  test("takes as long as it took before, where that is known", () => {
    const before = { entries: [entryOf("write-dd", { seconds: 600 })], failures: [] };
    expect(describeEstimate(named("write-dd", "probe"), false, before)).toBe(
      "2 to measure, about 12 min: write-dd 10 min, probe 2 min",
    );
    expect(describeEstimate(named("write-dd"), true, before)).toBe("1 to measure, about 45 s: write-dd 45 s");
  });
});
