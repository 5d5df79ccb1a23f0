import { formatTable } from "../../cli/table.ts";
import { defineVerb } from "../../cli/verb.ts";
import { listTargets } from "../../imager/targets/targets.ts";

export const targets = defineVerb({
  description: "list the image targets that berry knows",
  examples: ["berry imager targets", "berry imager targets --json"],
  run({ stdout, json }) {
    const known = listTargets().map(({ target: { name, family, architecture, description } }) => {
      return { name, family, architecture, description };
    });
    if (json) {
      stdout.write(`${JSON.stringify(known)}\n`);
      return;
    }
    const columns = [{ title: "target" }, { title: "packages by" }, { title: "description" }];
    const rows = known.map(({ name, family, description }) => [name, family, description]);
    stdout.write(formatTable(columns, rows));
  },
});
