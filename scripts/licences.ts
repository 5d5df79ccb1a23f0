import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { bundledPackages } from "./bundled-packages.ts";

/** The licences of all that is inside berry's binary, which go with every copy: `bun scripts/licences.ts`, text on stdout. */
const bun = await readFile(
  join(resolve(import.meta.dir, ".."), "node_modules/bun-types/docs/project/license.mdx"),
  "utf8",
);
const rule = "-".repeat(80);
const sections = [
  "berry itself is under the licence in LICENSE. Inside its program there are also:\n",
  `Bun ${Bun.version}, https://github.com/oven-sh/bun\n\n${bun.replace(/^---\n.*?\n---\n/s, "").trim()}\n`,
  ...(await bundledPackages()).map(
    ({ name, version, licence, licenceText, source }) =>
      `${name} ${version} (${licence}), ${source}\n\n${licenceText.trim()}\n`,
  ),
];
process.stdout.write(sections.join(`\n${rule}\n`));
