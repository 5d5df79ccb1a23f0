import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const program = resolve(import.meta.dir, "../../fixtures/replace-file.fixture.ts");

test("a file is replaced by nothing less than the whole of another where there is no space for it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berry-full-"));
  try {
    // a file system of tmpfs takes its last page, and says nothing of what did not fit
    const { stdout } = Bun.spawnSync([
      ...["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc"],
      'mount -t tmpfs -o size=12k tmpfs "$1"; exec "$2" "$3" "$1"',
      ...["sh", folder, process.execPath, program],
    ]);
    expect(stdout.toString()).toBe(
      `cannot-create: ${folder}/berry.prom: cannot be written: no space left\nberry.prom: short\n`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
