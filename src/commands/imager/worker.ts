import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import type { Plan } from "../../imager/step.ts";
import { runWorker } from "../../imager/worker.ts";
import { systemClock } from "../../system/clock.ts";
import { commandRunner } from "../../system/command-runner.ts";

/** The other half of a bake: started by berry itself, inside the namespaces. */
export const worker = defineVerb({
  description: "do a plan that comes on standard input; berry calls this itself",
  examples: ["berry imager worker"],
  async run({ stdout, signal }) {
    process.umask(0o022);
    const lines = readLines(process.stdin);
    const { value: first } = await lines.next();
    if (first === undefined) throw new BerryError("usage", "no plan came on standard input", { hint: "berry imager bake" });
    const stop = new AbortController();
    // the parent says "abort", or is gone: standard input ends
    const ended = lines.next().then(() => stop.abort());
    ended.catch(() => stop.abort());
    await runWorker(
      // Checked boundary: berry itself wrote it.
      JSON.parse(first) as Plan,
      {
        runner: commandRunner,
        clock: systemClock,
        random: Math.random,
        emit: (event) => stdout.write(`${JSON.stringify(event)}\n`),
        environment: process.env,
      },
      AbortSignal.any([signal, stop.signal]),
    );
    process.stdin.destroy();
  },
});

async function* readLines(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<string, void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + (typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }))).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
