import { describe, expect, test } from "bun:test";
import { subordinateIds } from "../../../../src/imager/facts/subordinate-ids.ts";

const chaney = { name: "chaney", uid: 1000 };

describe("sub-ids", () => {
  test("are those of the user, by name or by number, the largest range of each kind", () => {
    expect(
      subordinateIds(
        "chaney:100000:65536\n1000:300000:70000\nann:400000:99999\n",
        "chaney:100000:1\n",
        chaney,
      ),
    ).toMatchObject({ users: 70_000, groups: 1 });
  });
  test("are free from 100000 on where nobody has any", () => {
    expect(subordinateIds("", "", chaney)).toEqual({ users: 0, groups: 0, firstFree: 100_000 });
    expect(subordinateIds("ann:1000:10\n", "", chaney).firstFree).toBe(100_000);
  });
  test("are free behind all that any user or group has", () => {
    expect(subordinateIds("ann:100000:65536\n", "", chaney).firstFree).toBe(165_536);
    expect(subordinateIds("ann:100000:65536\n", "bob:231072:65536\n", chaney).firstFree).toBe(296_608);
  });
  test("are not read from lines that say something else", () => {
    expect(subordinateIds("# chaney\nchaney:x:65536\n\n", "chaney\n", chaney)).toEqual({
      users: 0,
      groups: 0,
      firstFree: 100_000,
    });
  });
});
