import { expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DOMParser } from "@xmldom/xmldom";

const house = resolve(import.meta.dirname, "../../..");
const pictures = (await readdir(join(house, "docs"))).filter((name) => name.endsWith(".svg")).toSorted();

test("scripts/record made the three pictures", () => {
  expect(pictures).toEqual(["bake.svg", "probe.svg", "write.svg"]);
});

test.each(pictures)("%s is small, whole, and tells those who do not see it what it shows", async (name) => {
  const text = await readFile(join(house, "docs", name), "utf8");
  expect(text.length).toBeLessThan(150 * 1024);
  const onError = (level: string, message: string) => {
    throw new Error(`${level}: ${message}`);
  };
  const document = new DOMParser({ onError }).parseFromString(text, "image/svg+xml");
  expect(document.getElementsByTagName("title")[0]?.textContent).toStartWith("berry ");
  expect(document.getElementsByTagName("desc")[0]?.textContent).toContain("waits are shortened");
});

test("README shows every picture, and none that is not there", async () => {
  const readme = await readFile(join(house, "README.md"), "utf8");
  const shown = Array.from(readme.matchAll(/docs\/([\w-]+\.svg)/g), ([, name]) => name ?? "");
  expect([...new Set(shown)].toSorted()).toEqual(pictures);
});
