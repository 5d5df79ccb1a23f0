import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { arch, debian, makeCluster, makeNode, planOf } from "../../unit/imager/plan/cluster-values.ts";

/** What the plan gives a monitor, judged by the real Prometheus and its tools. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-monitor-"));
});
afterAll(() => rm(folder, { recursive: true }));

function run(argv: readonly string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], { cwd: folder, stderr: "pipe" });
  return { exitCode, said: `${stdout.toString()}${stderr.toString()}` };
}

describe.each([arch, debian])("a monitor of %s", (target) => {
  const steps = planOf(makeCluster(target, [makeNode("pi1", { role: "monitor" })])).layers.flatMap((layer) =>
    layer.steps.flatMap((step) => (step.do === "write" ? [step] : [])),
  );
  const content = (path: string): string => {
    const step = steps.findLast((each) => each.path === path);
    if (step === undefined) throw new Error(`nothing writes ${path}`);
    return step.content;
  };

  test("has a configuration that promtool finds valid, with its rules beside it", async () => {
    const root = join(folder, target);
    for (const { path, content: text } of steps.filter((step) => step.path.startsWith("/etc/prometheus/"))) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    const { exitCode, said } = run([
      "promtool",
      "check",
      "config",
      join(root, "etc/prometheus/prometheus.yml"),
    ]);
    expect({ said, exitCode }).toEqual({ said, exitCode: 0 });
    expect(said).toContain("1 rule files found");
  });

  test("starts Prometheus with flags that it knows, each once", () => {
    const dropIn = content("/usr/lib/systemd/system/prometheus.service.d/10-berry.conf");
    const command = /^ExecStart=(\S.*)$/m.exec(dropIn)?.[1] ?? "";
    const missing = join(folder, "missing.yml");
    const words = command
      .split(" ")
      .filter((word) => !word.startsWith("$") && !word.startsWith("--config.file="));
    const { exitCode, said } = run([...words, `--config.file=${missing}`]);
    // flags are judged before the configuration is looked for
    expect(said).toContain(missing);
    expect(said).not.toContain("commandline");
    expect(exitCode).not.toBe(0);
  });
});
