import { defineVerb } from "../../../cli/verb.ts";
import { printable } from "../../../core/printable.ts";
import { layOut } from "../../../probe/monitor/lay-out-file.ts";
import { monitorFiles, remainingSteps } from "../../../probe/monitor/monitor-files.ts";

/** `berry probe monitor init`: the files with which the imager makes a node a monitor, for any Prometheus. */
export const init = defineVerb({
  description: "write configuration, alerts and a unit that keeps the list of nodes, for your Prometheus",
  examples: ["berry probe monitor init", "berry probe monitor init /srv/monitoring"],
  args: {
    folder: {
      type: "positional",
      required: false,
      description: "where to write: monitoring; files that differ are never overwritten",
    },
  },
  async run({ args, json, stdout }) {
    const folder = args.folder ?? "monitoring";
    const { written, unchanged } = await layOut(folder, monitorFiles);
    const steps = remainingSteps(folder, ownProgram());
    if (json) {
      stdout.write(`${JSON.stringify({ written, unchanged, steps })}\n`);
      return;
    }
    const told = [
      ...written.map((path) => ["wrote", path]),
      ...unchanged.map((path) => ["unchanged:", path]),
    ];
    for (const [what, path = ""] of told) {
      const purpose = monitorFiles.find(({ name }) => path.endsWith(`/${name}`) || path === name)?.purpose;
      stdout.write(`${what} ${printable(path)}: ${purpose}\n`);
    }
    stdout.write(`\nwhat is left to do where Prometheus runs:\n`);
    for (const step of steps) stdout.write(`  ${printable(step)}\n`);
  },
});

/** null: run from the source, by Bun. */
function ownProgram(): string | null {
  return /(^|\/)berry[^/]*$/.test(process.execPath) ? process.execPath : null;
}
