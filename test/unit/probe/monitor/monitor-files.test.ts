import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { monitorFiles, remainingSteps, targetsPath } from "../../../../src/probe/monitor/monitor-files.ts";

const textOf = (name: string) => monitorFiles.find((file) => file.name === name)?.text ?? "";

interface Configuration {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly file_sd_configs: readonly { readonly files: readonly string[] }[];
  }[];
}

describe("the files of a monitor", () => {
  const configuration = Bun.YAML.parse(textOf("prometheus.yml")) as Configuration;
  test("name each other", () => {
    expect(configuration.rule_files).toEqual(["berry-alerts.yml"]);
    expect(textOf("berry-alerts.yml")).not.toBe("");
    expect(configuration.scrape_configs.map((job) => job.file_sd_configs[0]?.files)).toEqual([[targetsPath]]);
    expect(textOf("berry-targets.service")).toContain(
      `ExecStart=/usr/bin/berry probe --watch -o prom-sd --write ${targetsPath}\n`,
    );
    expect(textOf("berry-targets.service")).toContain("\nRuntimeDirectory=berry-targets\n");
    // or the targets are gone while it is started again
    expect(textOf("berry-targets.service")).toContain("\nRuntimeDirectoryPreserve=restart\n");
  });
  test("speak of the job that the configuration has", () => {
    const jobs = [...textOf("berry-alerts.yml").matchAll(/job="([^"]*)"/g)].map(([, job]) => job);
    expect(new Set(jobs)).toEqual(new Set(configuration.scrape_configs.map((job) => job.job_name)));
  });
  test("alert on metrics of the fan daemon that there are", () => {
    const source = readFileSync(
      resolve(import.meta.dir, "../../../../src/fand/daemon/render-metrics.ts"),
      "utf8",
    );
    const written = [...source.matchAll(/name: "(berry_\w+)"/g)].map(([, name]) => name);
    const asked = [...textOf("berry-alerts.yml").matchAll(/\b(berry_[a-z_]+)\{/g)].map(([, name]) => name);
    expect(new Set(asked).size).toBeGreaterThan(5);
    expect(asked.filter((name) => !written.includes(name))).toEqual([]);
  });
});

describe("what is left to do", () => {
  test("begins with berry itself, where that is elsewhere", () => {
    expect(remainingSteps("m", "/home/me/bin/berry")[0]).toBe(
      "sudo install -m 755 /home/me/bin/berry /usr/bin/berry",
    );
    for (const program of [null, "/usr/bin/berry"])
      expect(remainingSteps("m", program).join("\n")).not.toContain("/usr/bin/berry");
  });
  test("is shell, whatever the folder is called", () => {
    const [line] = remainingSteps("it's; rm -r x", null).filter((step) =>
      step.includes("berry-targets.service /"),
    );
    expect(line).toBe(
      String.raw`sudo install -m 644 'it'\''s; rm -r x'/berry-targets.service /etc/systemd/system/`,
    );
  });
});
