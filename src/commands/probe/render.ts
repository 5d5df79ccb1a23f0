import type { Output } from "../../cli/output.ts";
import { createStyle } from "../../cli/style.ts";
import type { NodeUser, Render, Rendered } from "../../probe/formats/rendered.ts";
import type { Row } from "../../probe/row.ts";
import type { Format } from "./find-options.ts";

/**
 * The rows in a format, and whom it has no room for. Formats are loaded when they are asked for.
 * @param output where the text goes: its width and colours; null: into a file
 */
export async function render(
  format: Format,
  rows: readonly Row[],
  users: readonly NodeUser[],
  output: Output | null,
): Promise<Rendered> {
  switch (format) {
    case "table":
    case "wide":
      return { text: await renderTable(format === "wide", rows, output), leftOut: [] };
    case "json":
    case "ndjson": {
      const { harmlessJson, rowObject } = await import("../../probe/formats/row-object.ts");
      const objects = rows.map(rowObject);
      const text =
        format === "json"
          ? `${harmlessJson(objects)}\n`
          : objects.map((object) => `${harmlessJson(object)}\n`).join("");
      return { text, leftOut: [] };
    }
    case "prom-sd":
    case "hosts":
    case "ssh-config":
    case "ansible":
    case "names":
      return (await loaders[format]())(rows, users);
  }
}

const loaders: Readonly<
  Record<"prom-sd" | "hosts" | "ssh-config" | "ansible" | "names", () => Promise<Render>>
> = {
  "prom-sd": async () => (await import("../../probe/formats/prom-sd.ts")).renderPromSd,
  hosts: async () => (await import("../../probe/formats/hosts.ts")).renderHosts,
  "ssh-config": async () => (await import("../../probe/formats/ssh-config.ts")).renderSshConfig,
  ansible: async () => (await import("../../probe/formats/ansible.ts")).renderAnsible,
  names: async () => (await import("../../probe/formats/names.ts")).renderNames,
};

async function renderTable(isWide: boolean, rows: readonly Row[], output: Output | null): Promise<string> {
  const { tellTable, tellTroubles } = await import("./tell-rows.ts");
  if (rows.length === 0) return "";
  const style = createStyle(output?.color ?? false);
  const columns = output !== null && output.isTerminal ? output.columns : null;
  const troubles = tellTroubles(rows, style);
  const below = troubles.length === 0 ? "" : `\n${troubles.map((line) => `${line}\n`).join("")}`;
  return `${tellTable(rows, { isWide, columns, style })}${below}`;
}
