import { describe, expect, test } from "bun:test";
import { settledDescription, settledShadow } from "../../../../src/imager/formats/settled-text.ts";

describe("a package's description of pacman's database", () => {
  const text = (date: string): string =>
    `%NAME%\nvim\n\n%BUILDDATE%\n1800000000\n\n%INSTALLDATE%\n${date}\n\n%SIZE%\n1800000000\n`;
  test("says that the package was installed on the epoch, and nothing else anew", () => {
    expect(settledDescription(text("1795406498"), 1_700_000_000)).toBe(text("1700000000"));
  });
  test("keeps an earlier date", () => {
    expect(settledDescription(text("1600000000"), 1_700_000_000)).toBe(text("1600000000"));
  });
  test("need not have a date", () => {
    expect(settledDescription("%NAME%\nvim\n", 0)).toBe("%NAME%\nvim\n");
  });
});

describe("shadow(5)", () => {
  test("has no password that was changed after the day of the epoch", () => {
    const before = "root:!*:14871::::::\nchaney:$6$a$b:20780:0:99999:7:::\nnobody:!::0:::::\n\n";
    const after = "root:!*:14871::::::\nchaney:$6$a$b:19675:0:99999:7:::\nnobody:!::0:::::\n\n";
    expect(settledShadow(before, 1_700_000_000)).toBe(after);
    expect(settledShadow(after, 1_700_000_000)).toBe(after);
  });
});
