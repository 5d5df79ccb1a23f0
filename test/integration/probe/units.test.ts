import { describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

function analyze(...words: readonly string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["systemd-analyze", ...words], { stderr: "pipe" });
  return { exitCode, said: `${stdout.toString()}${stderr.toString()}` };
}

describe.each(["berry-announce.service", "berry-targets.service"])("%s", (name) => {
  test("is a unit of which systemd understands every line, and finds little exposed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "berry-units-"));
    const text = await readFile(resolve(import.meta.dir, "../../../systemd", name), "utf8");
    // berry is not installed here
    const unit = join(folder, name);
    await writeFile(unit, text.replace("ExecStart=/usr/bin/berry", "ExecStart=/bin/true"));
    expect(analyze("verify", "--man=no", unit)).toEqual({ exitCode: 0, said: "" });
    const { exitCode, said } = analyze("security", "--offline=yes", "--threshold=20", unit);
    expect({ exitCode, said }).toEqual({ exitCode: 0, said });
    await rm(folder, { recursive: true });
  });
});
