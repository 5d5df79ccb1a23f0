import { MiB } from "../core/units.ts";
import type { ExtraFile, ImageSettings } from "./cluster.ts";
import { findFile, type Surroundings, warnIfExposed } from "./host-path.ts";
import type { Merged } from "./merge-node.ts";
import { parseTable } from "./parse-table.ts";
import { fileShape, type nodeImageShape } from "./tables.ts";

type Image = Merged<typeof nodeImageShape>;

/** The content of a node's image. What is wrong goes to the diagnosis; the value counts only when nothing was. */
export async function imageSettings(image: Image, around: Surroundings): Promise<ImageSettings> {
  const { values } = image;
  return {
    mirror: values.mirror ?? null,
    timezone: values.timezone ?? "UTC",
    locale: values.locale ?? "C.UTF-8",
    locales: values.locales ?? [],
    keymap: values.keymap ?? "us",
    packages: values.packages ?? [],
    services: values.services ?? [],
    files: await extraFiles(image, around),
    script: await findScript(image, around),
    configTxt: values.config_txt ?? [],
    cmdline: values.cmdline ?? [],
    marginBytes: values.margin ?? 256 * MiB,
  };
}

async function extraFiles(image: Image, around: Surroundings): Promise<readonly ExtraFile[]> {
  const files: ExtraFile[] = [];
  for (const [index, raw] of (image.values.files ?? []).entries()) {
    const place = `${image.keyOf("files")}[#${index + 1}]`;
    const { values, failed } = parseTable(fileShape, raw, place, around.diagnosis);
    for (const [key, remedy] of [
      ["source", "name the file on this machine"],
      ["path", "say where it goes in the image"],
    ] as const) {
      if (values[key] === undefined && !failed(key)) {
        around.diagnosis.add(`${place}.${key}`, { problem: "missing", found: null, remedy }, undefined);
      }
    }
    const source = around.files.resolve(around.folder, values.source ?? "");
    if (values.source !== undefined) {
      const mode = await findFile(source, `${place}.source`, values.source, around);
      if (mode !== null && values.secret === true)
        await warnIfExposed(source, `${place}.source`, values.source, around);
    }
    const path = values.path ?? "";
    if (path !== "" && files.some((other) => other.path === path)) {
      around.diagnosis.add(
        `${place}.path`,
        { problem: "two files for one path", remedy: "keep one of them" },
        path,
      );
    }
    files.push({
      source,
      path,
      mode: values.mode ?? 0o644,
      owner: values.owner ?? "root",
      group: values.group ?? "root",
      secret: values.secret ?? false,
    });
  }
  return files;
}

async function findScript(image: Image, around: Surroundings): Promise<string | null> {
  const written = image.values.script;
  if (written === undefined) return null;
  const path = around.files.resolve(around.folder, written);
  const mode = await findFile(path, image.keyOf("script"), written, around);
  if (mode !== null && (mode & 0o111) === 0) {
    around.diagnosis.add(
      image.keyOf("script"),
      { problem: "the script is not executable", remedy: `chmod +x ${path}` },
      written,
    );
  }
  return path;
}
