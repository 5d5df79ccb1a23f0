import { describe, expect, test } from "bun:test";
import { BerryError } from "../../../../src/core/errors.ts";
import type { Answer } from "../../../../src/probe/health.ts";
import { parseFilter } from "../../../../src/probe/filter/parse-filter.ts";
import { rowsOf } from "../../../../src/probe/rows/rows-of.ts";
import { pageAt, sightingOf, silence } from "../../../fixtures/probe-values.ts";

const told: readonly (readonly [string, number, Answer])[] = [
  ["pi1", 1, pageAt(1, { hostName: "pi1", temperature: 71, throttled: ["under-voltage"] })],
  ["pi2", 2, pageAt(2, { hostName: "pi2", temperature: 50, berryVersion: "0.10.0" })],
  ["pi3", 3, silence],
];
const rows = rowsOf(
  told.map(([host, number, answer]) => ({
    sighting: sightingOf(host, number, {
      role: host === "pi1" ? "server" : "node",
      version: host === "pi1" ? "0.9.0" : "0.10.0",
    }),
    answer,
  })),
  [
    { name: "pi1", role: "server" },
    { name: "pi3", role: "node" },
    { name: "pi4", role: "node" },
  ],
);
const found = (expression: string) => rows.filter(parseFilter(expression)).map(({ name }) => name);

describe("a filter chooses rows", () => {
  test.each([
    ["temp>70 && role==server", ["pi1"]],
    ["temp > 70C", ["pi1"]],
    ["temp<=50°C", ["pi2"]],
    ["temp>=50", ["pi1", "pi2"]],
    ["temp!=50", ["pi1"]],
    ["temp==50", ["pi2"]],
    ["name=~pi?", ["pi1", "pi2", "pi3", "pi4"]],
    ["name=~PI[12]", ["pi1", "pi2"]],
    ["name=~pi[!1-3]", ["pi4"]],
    ["name=~pi[^1-3]", ["pi4"]],
    ["name=~pi[4-]", ["pi4"]],
    ["state=~*ing", ["pi4"]],
    ["state=~Missing", ["pi4"]],
    ["uptime<1h31min && uptime>1h29m59s", ["pi1", "pi2"]],
    ["uptime<'1 h 29 min'", []],
    ["name=~/^PI[12]$/", ["pi1", "pi2"]],
    ["name=~*1", ["pi1"]],
    ["model=='raspberry pi 4 model b rev 1.4'", ["pi1", "pi2", "pi3"]],
    ['model=~"*model b*" && !known', ["pi2"]],
    ["known==no", ["pi2"]],
    ["state==missing || state==dead", ["pi3", "pi4"]],
    ["state!=alive", ["pi2", "pi3", "pi4"]],
    ["throttled", ["pi1"]],
    ["throttled==under-voltage", ["pi1"]],
    ["throttled!=under-voltage", ["pi2"]],
    ["address=~192.168.*", ["pi1", "pi2", "pi3"]],
    ["address==fe80::2", ["pi2"]],
    ["version<0.10", ["pi1"]],
    ["health==critical", ["pi1"]],
    ["health==ok", ["pi2"]],
    ["fan==40%", ["pi1", "pi2"]],
    ["uptime<2h && uptime>80min", ["pi1", "pi2"]],
    ["uptime>1d", []],
    ["memory<20% && disk>30", ["pi1", "pi2"]],
    ["rpm>2000rpm && load<.5", ["pi1", "pi2"]],
    ["serial==10000000A1B2C302", ["pi2"]],
  ] as const)("%s", (expression, names) => {
    expect(found(expression)).toEqual([...names]);
  });
  test("! binds more than &&, and && more than ||", () => {
    expect(found("name==pi1 || name==pi2 && temp>60")).toEqual(["pi1"]);
    expect(found("(name==pi1 || name==pi2) && temp<60")).toEqual(["pi2"]);
    expect(found("!known && name=~pi*")).toEqual(["pi2"]);
    expect(found("!(known && name=~pi*)")).toEqual(["pi2"]);
    expect(found("!!throttled")).toEqual(["pi1"]);
  });
  test("what is not known compares as false, whatever with", () => {
    for (const expression of ["temp>0", "temp<1000", "temp!=1", "temp==0"])
      expect(found(`name==pi4 && ${expression}`)).toEqual([]);
    expect(found("name==pi4 && !(temp>0)")).toEqual(["pi4"]);
  });
});

describe("a bad filter is told with its place", () => {
  const told = (expression: string): readonly string[] => {
    try {
      parseFilter(expression);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof BerryError)) throw thrown;
      expect(thrown.kind).toBe("usage");
      return [...thrown.message.split("\n"), thrown.hint ?? ""];
    }
  };
  test("the whole message", () => {
    expect(told("temp>70 && rol==server")).toEqual([
      "--filter: there is no field 'rol'",
      "  temp>70 && rol==server",
      "             ^^^",
      "did you mean role?",
    ]);
  });
  test.each([
    ["", "something is missing", 0, "fields are name, state"],
    ["   ", "something is missing", 3, "fields are name, state"],
    ["temp", "temp has to be compared", 4, "use one of == != <= >= =~ < >, as in temp>70"],
    ["temp>", "temp is compared with nothing", 5, "put a value behind >"],
    ["temp>hot", "temp is a number", 5, "as in temp>70"],
    ["temp>70F", "temp has no unit 'F'", 7, "use C, °C, ° or none"],
    ["load>1%", "load has no unit '%'", 6, "leave the unit away"],
    ["temp=70", "'=' means nothing here", 4, "did you mean ==?"],
    ["temp>70 & known", "'&' means nothing here", 8, "did you mean &&?"],
    ["temp>70 and known", "two comparisons with nothing between", 8, "put && or || between them"],
    ["model==Pi 4", "two comparisons with nothing between", 10, "quotes around text"],
    ["(temp>70", "a bracket is still open", 8, "close it with )"],
    ["temp>70)", "no bracket is open", 7, "leave it away"],
    ["temp>70 &&", "something is missing", 10, "fields are name, state"],
    ["&& temp>70", "a field belongs here", 0, "fields are name, state"],
    ["name=='pi1", "the text has no end", 6, "close it with '"],
    ["name=~/pi1", "the pattern has no end", 6, "close it with /"],
    ["name=~/(/", "it is no regular expression", 6, "a * stands for any text"],
    ["name=~/(a+)+/", "it repeats what repeats already", 6, "a * stands for any text"],
    ["name==/a/", "a pattern is no value", 6, "did you mean name=~/a/?"],
    ["temp=~7*", "temp is no text", 4, "compare it with == or !="],
    ["state==alvie", "state is never 'alvie'", 7, "did you mean alive?"],
    ["state=~alvie", "state is never 'alvie'", 7, "did you mean alive?"],
    ["health==bad", "health is never 'bad'", 8, "it is one of ok, warning, critical"],
    ["health>ok", "health is neither more nor less", 6, "use == or !="],
    ["name>=pi2", "name is neither more nor less", 4, "use == or !="],
    ["name=~pi[12", "a bracket of the pattern is not closed", 6, "name=~pi[1-4]"],
    ["name=~pi[]", "a bracket of the pattern is not closed", 6, "name=~pi[1-4]"],
    ["uptime>30min2h", "uptime has no unit 'min2h'", 9, "use s, m, min, h, d, w or none"],
    ["uptime>2h30", "uptime has no unit 'h30'", 8, "use s, m, min, h, d, w or none"],
    ["temp>70C30C", "temp has no unit 'C30C'", 7, "use C"],
    ["throttled>2", "throttled is neither more nor less", 9, "use == or !="],
    ["known>yes", "known is yes or no", 5, "use known or !known"],
    ["known==maybe", "known is yes or no", 7, "use known or !known"],
    ["temp>70 # hot", "'#' means nothing here", 8, "between quotes"],
  ])("%s", (expression, problem, place, hint) => {
    const [first, shown, marks, remedy] = told(expression);
    expect(first).toBe(`--filter: ${problem}`);
    expect(shown).toBe(`  ${expression}`);
    expect(marks?.indexOf("^")).toBe(place + 2);
    expect(remedy).toContain(hint);
  });
  test("however it was typed", () => {
    expect(told("\u001B[31m>1")[1]).toBe("  \\u{1b}[31m>1");
    expect(told("(".repeat(900))[0]).toBe("--filter: something is missing");
    expect(told("!".repeat(5000))[0]).toBe("--filter: longer than 1000 characters");
  });
});

test("no text of a stranger keeps a pattern busy", () => {
  const host = `${"a".repeat(250)}b`;
  const [row] = rowsOf([{ sighting: sightingOf(host, 1), answer: silence }], null);
  if (row === undefined) throw new Error("there is a row");
  expect(parseFilter(`name=~${"*a".repeat(100)}c`)(row)).toBe(false);
  expect(parseFilter("name=~*a*b")(row)).toBe(true);
});
