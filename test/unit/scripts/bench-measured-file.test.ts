import { describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nothingMeasured } from "../../../scripts/benches/measured.ts";
import { renderDocument, renderReadmeBlock } from "../../../scripts/benches/measured-document.ts";
import {
  filesBeside,
  forgetParts,
  keepParts,
  readMeasured,
  writeMeasured,
} from "../../../scripts/benches/measured-file.ts";
import { failureOf } from "../../fixtures/failure-of.ts";
import { entryOf, wholeMeasured } from "./measured-example.ts";

async function openPlace() {
  const folder = await mkdtemp(join(tmpdir(), "berry-measured-"));
  const readme = join(folder, "README.md");
  return {
    folder,
    files: { ...filesBeside(join(folder, "docs/figures.md")), readme },
    readme,
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }),
  };
}

describe("the files of what was measured", () => {
  test("are data, the document that is made of them, and the block in README", async () => {
    await using place = await openPlace();
    await writeFile(place.readme, "# b\n<!-- measured: -->\n<!-- :measured -->\nend\n");
    await writeMeasured(place.files, wholeMeasured);
    expect(await readMeasured(place.files.data)).toEqual(wholeMeasured);
    expect(await readFile(place.files.document, "utf8")).toBe(renderDocument(wholeMeasured));
    expect(await readFile(place.readme, "utf8")).toBe(
      `# b\n<!-- measured: -->\n${renderReadmeBlock(wholeMeasured)}<!-- :measured -->\nend\n`,
    );
    expect((await readdir(join(place.folder, "docs"))).toSorted()).toEqual(["figures.json", "figures.md"]);
  });

  test("leave a README alone that has no markers", async () => {
    await using place = await openPlace();
    await writeFile(place.readme, "# b\n");
    const written = await writeMeasured(place.files, wholeMeasured);
    expect(written).toEqual([place.files.data, place.files.document]);
    expect(await readFile(place.readme, "utf8")).toBe("# b\n");
  });

  test("are as they were when the new ones cannot be made", async () => {
    await using place = await openPlace();
    await writeFile(place.readme, "# b\n");
    await writeMeasured(place.files, wholeMeasured);
    const broken = entryOf("bake-warm", { result: entryOf("write-dd").result });
    const failure = await failureOf(writeMeasured(place.files, { entries: [broken], failures: [] }));
    expect(String(failure)).toContain("bake-warm has no figure");
    expect(await readMeasured(place.files.data)).toEqual(wholeMeasured);
  });

  test("hold nothing before the first run, and are named when they hold something else", async () => {
    await using place = await openPlace();
    expect(await readMeasured(place.files.data)).toEqual(nothingMeasured);
    await writeFile(place.readme, "# b\n");
    const failure = await failureOf(readMeasured(place.readme));
    expect(String(failure)).toContain(`${place.readme} was not written by scripts/bench`);
  });

  test("keep what is finished of a run until it is forgotten", async () => {
    await using place = await openPlace();
    keepParts(place.files, wholeMeasured);
    expect(await readMeasured(place.files.parts)).toEqual(wholeMeasured);
    await forgetParts(place.files);
    expect(await readMeasured(place.files.parts)).toEqual(nothingMeasured);
  });
});
