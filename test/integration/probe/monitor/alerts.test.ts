import { describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { layOut } from "../../../../src/probe/monitor/lay-out-file.ts";
import { monitorFiles } from "../../../../src/probe/monitor/monitor-files.ts";

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert?: string;
      readonly for?: string;
      readonly labels?: { readonly severity?: string };
      readonly annotations?: { readonly summary?: string; readonly description?: string };
    }[];
  }[];
}

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

const rules = Bun.YAML.parse(
  monitorFiles.find(({ name }) => name === "berry-alerts.yml")?.text ?? "",
) as RuleFile;
const alerts = rules.groups.flatMap((group) =>
  group.rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }])),
);
const ruleTests = (await readdir(import.meta.dir)).filter((name) => name.endsWith(".rules.yml"));
const expectations = (
  await Promise.all(ruleTests.map((name) => readFile(join(import.meta.dir, name), "utf8")))
).flatMap((text) => (Bun.YAML.parse(text) as RuleTests).tests.flatMap((each) => each.alert_rule_test));

function promtool(...words: readonly string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["promtool", ...words], {
    cwd: resolve(import.meta.dir),
    stderr: "pipe",
  });
  return { exitCode, said: `${stdout.toString()}${stderr.toString()}` };
}

describe("promtool", () => {
  test("finds configuration and rules as they are written valid, without a warning of its linter", async () => {
    const folder = await mkdtemp(join(tmpdir(), "berry-monitor-"));
    await layOut(folder, monitorFiles);
    for (const words of [
      ["check", "config", "--lint=all", "--lint-fatal", join(folder, "prometheus.yml")],
      ["check", "rules", "--lint=all", "--lint-fatal", join(folder, "berry-alerts.yml")],
    ]) {
      const { exitCode, said } = promtool(...words);
      expect({ said, exitCode }).toEqual({ said, exitCode: 0 });
    }
    await rm(folder, { recursive: true });
  });
  test.each(ruleTests)("sees %s come true", (name) => {
    const { exitCode, said } = promtool("test", "rules", name);
    expect({ said, exitCode }).toEqual({ said, exitCode: 0 });
  });
});

describe.each(alerts.map((rule) => [rule.alert, rule] as const))("%s", (name, rule) => {
  const expected = expectations.filter(({ alertname }) => alertname === name).map((each) => each.exp_alerts);
  test("is seen firing and silent", () => {
    expect(expected.filter((fired) => fired.length > 0)).not.toEqual([]);
    expect(expected.filter((fired) => fired.length === 0)).not.toEqual([]);
  });
  test("says how severe it is, after which time, of which node, what was found and what to do", () => {
    expect(["info", "warning", "critical"]).toContain(rule.labels?.severity ?? "");
    expect(rule.for).toMatch(/^\d+[sm]$/);
    if (name !== "BerryNoNodes") expect(rule.annotations?.summary).toContain("{{ $labels.node }}");
    expect(rule.annotations?.summary).toContain("$value");
    expect(rule.annotations?.description).toMatch(/\w/);
  });
});
