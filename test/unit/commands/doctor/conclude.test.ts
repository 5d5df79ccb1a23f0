import { describe, expect, test } from "bun:test";
import { createStyle } from "../../../../src/cli/style.ts";
import { conclude, namedRoles } from "../../../../src/commands/doctor/conclude.ts";
import {
  type Level,
  missing,
  prescribe,
  ready,
  type Report,
  type Role,
} from "../../../../src/commands/doctor/finding.ts";
import { failedReport } from "../../../../src/commands/doctor/look.ts";
import { tellReports } from "../../../../src/commands/doctor/tell.ts";

const reportsOf = (levels: Partial<Record<Role, Level>>): Report[] =>
  (Object.entries(levels) as [Role, Level][]).map(([role, level]) => ({
    role,
    level,
    what: "",
    findings: [],
  }));
const laptop = { isNamed: false, isPi: false };
const pi = { isNamed: false, isPi: true };
const named = { isNamed: true, isPi: false };

describe("what counts", () => {
  test.each([
    [laptop, { bake: "ready", write: "partly", cool: "not here", probe: "ready" }],
    [laptop, { bake: "partly", write: "missing", cool: "not here", probe: "partly" }],
    [pi, { bake: "missing", write: "partly", cool: "ready", probe: "ready" }],
    [named, { write: "partly" }],
  ] as const)("%j: nothing of %j is missing", (asked, levels) => {
    expect(conclude(reportsOf(levels), asked)).toBeNull();
  });
  test.each([
    [laptop, { bake: "missing", cool: "not here" }, "this machine cannot bake yet"],
    [laptop, { bake: "missing", probe: "missing" }, "this machine cannot bake or probe yet"],
    [pi, { bake: "missing", cool: "missing", probe: "ready" }, "this machine cannot cool yet"],
    [named, { write: "missing" }, "this machine cannot write yet"],
    [named, { cool: "not here" }, "this machine is not one to cool"],
    [named, { bake: "missing", cool: "not here" }, "this machine cannot bake or cool yet"],
  ] as const)("%j: of %j something is", (asked, levels, message) => {
    expect(conclude(reportsOf(levels), asked)).toMatchObject({ kind: "unavailable", message });
  });
});

describe("roles", () => {
  test("are all of them, or those that are named, each once and in the usual order", () => {
    expect(namedRoles([])).toEqual(["bake", "write", "cool", "probe"]);
    expect(namedRoles(["probe", "bake", "probe"])).toEqual(["bake", "probe"]);
  });
  test.each([
    ["prob", "did you mean berry doctor probe?"],
    ["constructor", "there are bake, write, cool, probe"],
  ])("that there are not are refused: %s", (word, hint) => {
    expect(() => namedRoles([word])).toThrow(
      expect.objectContaining({ kind: "usage", message: `there is no role ${word}`, hint }),
    );
  });
});

describe("what is told", () => {
  const need = (name: string) => ({ program: name, debian: name, arch: name, fedora: name });
  const bake: Report = {
    role: "bake",
    level: "missing",
    what: "no image can be baked yet",
    findings: [missing("one", null, [need("a")]), missing("two", null, [need("b")]), ready("three\u0007")],
  };
  test("is a section a role, a command below the last thing that it mends, and in the end one for all roles", () => {
    const probe: Report = {
      ...bake,
      role: "probe",
      what: "half",
      findings: [missing("avahi", null, [need("c")])],
    };
    expect(tellReports(prescribe([bake, probe], "arch", false), createStyle(false)).split("\n")).toEqual([
      "bake: missing: no image can be baked yet",
      "  missing   one",
      "  missing   two",
      "            → sudo pacman -S --needed a b",
      "  ready     three\\u{7}",
      "",
      "probe: missing: half",
      "  missing   avahi",
      "            → sudo pacman -S --needed c",
      "",
      "all of it at once:",
      "  sudo pacman -S --needed a b c",
      "",
    ]);
  });
  test("has no command for all roles where one alone lacks something", () => {
    expect(prescribe([bake], "arch", false).install).toBeNull();
  });
  test("is what went wrong where a machine cannot be looked at", () => {
    expect(failedReport("write", new Error("cannot read /sys/block"))).toMatchObject({
      role: "write",
      level: "missing",
      findings: [{ level: "missing", what: "cannot read /sys/block", remedy: null }],
    });
  });
});
