import { describe, expect, test } from "bun:test";
import {
  measuredText,
  newestOf,
  nothingMeasured,
  parseMeasured,
  withEntry,
  withFailure,
} from "../../../scripts/benches/measured.ts";
import { entryOf, failureAt, wholeMeasured } from "./measured-example.ts";

const early = "2026-11-20T10:00:00.000Z";
const late = "2026-11-23T10:00:00.000Z";

describe("what was measured", () => {
  test("is read as it was written", () => {
    const measured = withFailure(wholeMeasured, failureAt("fand", late));
    expect(parseMeasured(measuredText(measured))).toEqual(measured);
  });

  test("is not read where a figure has no values, or where something is in it that nobody wrote", () => {
    const text = measuredText({ entries: [entryOf("write-dd")], failures: [] });
    expect(() => parseMeasured(text.replace(/"berry": \[[^\]]*\]/, '"berry": []'))).toThrow(/too_small/);
    expect(() => parseMeasured(text.replace('"quick"', '"swift": 1, "quick"'))).toThrow(/swift/);
  });

  test("of a section anew takes the place of its former figures and of its failure, and leaves the others", () => {
    const former = withFailure(
      { entries: [entryOf("write-dd", { date: early }), entryOf("probe")], failures: [] },
      failureAt("write-dd", early),
    );
    const again = entryOf("write-dd", { date: late });
    expect(withEntry(former, again)).toEqual({ entries: [entryOf("probe"), again], failures: [] });
  });

  test("stays when the section fails later, of which the last failure is told", () => {
    const entry = entryOf("write-dd", { date: early });
    const once = withFailure({ entries: [entry], failures: [] }, failureAt("write-dd", early));
    const twice = withFailure(once, failureAt("write-dd", late));
    expect(twice).toEqual({ entries: [entry], failures: [failureAt("write-dd", late)] });
  });
});

describe("the newest of a document and of a run", () => {
  test("is taken section by section, wherever it stands", () => {
    const [oldDd, newDd] = [entryOf("write-dd", { date: early }), entryOf("write-dd", { date: late })];
    const [oldFand, newFand] = [entryOf("fand", { date: early }), entryOf("fand", { date: late })];
    const newest = newestOf(
      { entries: [oldDd, newFand], failures: [] },
      { entries: [newDd, oldFand], failures: [] },
    );
    expect(newest.entries).toHaveLength(2);
    expect(newest.entries).toContainEqual(newDd);
    expect(newest.entries).toContainEqual(newFand);
  });

  test("leaves what the run did not measure", () => {
    expect(newestOf(wholeMeasured, nothingMeasured)).toEqual(wholeMeasured);
  });

  test("forgets a failure after which the section was measured, and no other", () => {
    const failed = { entries: [], failures: [failureAt("fand", early), failureAt("probe", late)] };
    const measured = {
      entries: [entryOf("fand", { date: late }), entryOf("probe", { date: early })],
      failures: [],
    };
    expect(newestOf(failed, measured).failures).toEqual([failureAt("probe", late)]);
  });

  test("has a section once that stands in both", () => {
    expect(newestOf(wholeMeasured, wholeMeasured)).toEqual(wholeMeasured);
  });
});
