export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly align?: "left" | "right";
}

function pad(cell: string, width: number, align: Column["align"]): string {
  const space = " ".repeat(Math.max(0, width - Bun.stringWidth(cell)));
  return align === "right" ? space + cell : cell + space;
}

/**
 * A table for people: titles in capitals, two spaces between columns, no lines, nothing after the last cell.
 * Cells may hold colours and wide characters; a missing cell is empty.
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const all = [columns.map(({ title }) => title.toUpperCase()), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => Bun.stringWidth(row[index] ?? ""))));
  return all
    .map((row) => {
      const cells = columns.map(({ align }, index) => pad(row[index] ?? "", widths[index] ?? 0, align));
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}
