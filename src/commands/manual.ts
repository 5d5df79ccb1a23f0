import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderManual } from "../cli/man.ts";
import { ownVersion } from "../cli/version.ts";
import { defineVerb } from "../cli/verb.ts";

/** `berry manual FOLDER`: the pages for man(1), made of the same tree as the help; packages are built with it. */
export const manual = defineVerb({
  description: "write the manual's pages into a folder",
  examples: ["berry manual man1"],
  args: { folder: { type: "positional", required: true, description: "such as /usr/share/man/man1" } },
  async run({ args, json, stdout, root }) {
    const epoch = Number(process.env["SOURCE_DATE_EPOCH"] ?? Date.now() / 1000);
    const date = new Date(epoch * 1000).toISOString().slice(0, 10);
    const pages = await renderManual(root, "berry", { version: ownVersion(process.arch).version, date });
    await mkdir(args.folder, { recursive: true });
    const paths = pages.map(({ name }) => join(args.folder, `${name}.1`));
    await Promise.all(pages.map(({ text }, index) => writeFile(paths[index] ?? "", text)));
    stdout.write(json ? `${JSON.stringify(paths)}\n` : paths.map((path) => `${path}\n`).join(""));
  },
});
