import { type Costs, costTables } from "./fand-table.ts";
import { type Figure, figureTable } from "./figures.ts";

/** What a bench found, as values: figures of two sides, or what several programs cost beside each other. */
export type Result =
  | { readonly kind: "figures"; readonly figures: readonly Figure[] }
  | { readonly kind: "costs"; readonly costs: Costs };

/** Markdown, ending in a line end. */
export function resultTables(result: Result): string {
  switch (result.kind) {
    case "figures":
      return figureTable(result.figures);
    case "costs":
      return costTables(result.costs);
  }
}
