import { describe, expect, test } from "bun:test";
import { ownFiles, quickFiles } from "../../../scripts/benches/measured-file.ts";
import { type Asked, parseWords } from "../../../scripts/benches/words.ts";

const whole = {
  kind: "whole" as const,
  files: ownFiles,
  quick: false,
  resume: false,
  only: null,
  skip: new Set<string>(),
} satisfies Asked;

describe("the words of scripts/bench", () => {
  test("are none for everything, into the documents of the repository", () => {
    expect(parseWords([])).toEqual(whole);
  });

  test("leave out and choose sections, and benches for all that they have", () => {
    expect(parseWords(["--skip", "bake-debian,fleet", "--skip", "probe"])).toEqual({
      ...whole,
      skip: new Set(["bake-debian", "fleet-shared", "fleet-plain", "probe"]),
    });
    expect(parseWords(["--only", "bake"])).toEqual({
      ...whole,
      only: new Set(["bake-arch", "bake-debian", "bake-warm"]),
    });
    expect(() => parseWords(["--skip", "debian"])).toThrow(/--skip takes bake-arch, .*, got debian/);
  });

  test("keep a quick run out of README and of its document", () => {
    expect(parseWords(["--quick"])).toEqual({ ...whole, quick: true, files: quickFiles });
    expect(quickFiles.readme).toBeNull();
    expect(() => parseWords(["--quick", "--output", ownFiles.document])).toThrow("--quick has no figures");
  });

  test("name another document, whose data lie beside it, without README", () => {
    expect(parseWords(["--output", "/somewhere/figures.md"])).toEqual({
      ...whole,
      files: {
        document: "/somewhere/figures.md",
        data: "/somewhere/figures.json",
        parts: "/somewhere/figures.parts.json",
        readme: null,
      },
    });
    expect(() => parseWords(["--output", "figures.txt"])).toThrow("ends in .md, got figures.txt");
  });

  test("name one bench, with options of its own", () => {
    expect(parseWords(["write", "--only", "dd", "--runs", "2"])).toEqual({
      kind: "one",
      bench: "write",
      options: { quick: false, only: "dd", runs: 2 },
    });
    expect(() => parseWords(["write", "--only", "arch"])).toThrow("--only takes card, dd");
    expect(() => parseWords(["write", "fand"])).toThrow("one bench at a time, got write fand");
    expect(() => parseWords(["toString"])).toThrow("no such bench: toString");
    expect(() => parseWords(["write", "--runs", "0"])).toThrow("--runs takes a number from 1, got 0");
  });

  test("are refused where they would do nothing", () => {
    expect(() => parseWords(["--runs", "2"])).toThrow("--runs belongs to one bench");
    expect(() => parseWords(["write", "--skip", "fand"])).toThrow("--skip belongs to the run of all benches");
    expect(() => parseWords(["render", "--quick"])).toThrow("--quick is of no use to render");
  });
});
