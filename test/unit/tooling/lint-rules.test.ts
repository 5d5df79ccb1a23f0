import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const house = resolve(import.meta.dir, "../../..");

/** A file that breaks a rule of the house, and what the linter says of it; null: it may. */
const snippets: readonly (readonly [path: string, source: string, complaint: string | null])[] = [
  ["src/core/up.ts", 'import { x } from "../system/x.ts";', "src/core imports nothing but src/core"],
  ["src/core/role.ts", 'import { x } from "../imager/x.ts";', "src/core imports nothing but src/core"],
  ["src/core/node.ts", 'import { x } from "node:fs";', "belong in src/system"],
  ["src/core/library.ts", 'import { x } from "zod";', "src/core has no dependencies"],
  ["src/core/own.ts", 'import { x } from "./own2.ts";', null],
  ["src/core/clock.ts", "export const x = Date.now();", "the Clock port"],
  ["src/core/global.ts", "export const x = process.argv;", "pure modules stay pure"],
  ["src/core/bun.ts", "export const x = Bun.version;", "pure modules stay pure"],
  ["src/config/up.ts", 'import { x } from "../imager/x.ts";', "src/config imports src/core alone"],
  ["src/config/library.ts", 'import { x } from "citty";', "src/config needs zod and c12 alone"],
  ["src/config/node.ts", 'import { x } from "node:fs/promises";', "adapters load*.ts"],
  ["src/config/zod.ts", 'import { x } from "zod";', null],
  ["src/config/down.ts", 'import { x } from "../core/x.ts";', null],
  ["src/config/load-x.ts", 'import { x } from "node:fs";', null],
  ["src/config/load-up.ts", 'import { x } from "../cli/x.ts";', "src/config imports src/core alone"],
  ["src/imager/role.ts", 'import { x } from "../fand/x.ts";', "a role never imports another role"],
  ["src/imager/steps/role.ts", 'import { x } from "../../probe/x.ts";', "a role never imports another role"],
  ["src/imager/up.ts", 'import { x } from "../system/x.ts";', "src/imager is called by src/commands"],
  [
    "src/imager/boot/up.ts",
    'import { x } from "../../commands/x.ts";',
    "src/imager is called by src/commands",
  ],
  ["src/imager/node.ts", 'import { x } from "node:child_process";', "or the adapters of src/imager"],
  ["src/imager/bun.ts", "export const x = Bun.file('x');", "pure modules stay pure"],
  ["src/imager/disks/node.ts", 'import { x } from "node:fs";', "or the adapters of src/imager"],
  ["src/imager/disks/collect-x.ts", 'import { x } from "node:fs/promises";', null],
  ["src/imager/facts/collect-x.ts", 'import { x } from "node:fs/promises";', null],
  ["src/imager/facts/x.ts", 'import { x } from "node:fs/promises";', "or the adapters of src/imager"],
  ["src/imager/download/x.ts", 'import { x } from "node:fs/promises";', "or the adapters of src/imager"],
  ["src/imager/lock/x-file.ts", 'import { x } from "node:fs/promises";', null],
  ["src/imager/worker/x.ts", 'import { x } from "node:child_process";', "or the adapters of src/imager"],
  ["src/imager/worker/worker-x.ts", 'import { x } from "node:child_process";', null],
  ["src/imager/path.ts", 'import { x } from "node:path";', null],
  ["src/imager/steps/node.ts", 'import { x } from "node:fs";\nexport const y = Bun.file(x);', null],
  ["src/imager/down.ts", 'import { x } from "../config/x.ts";\nimport { y } from "../core/y.ts";', null],
  ["src/fand/role.ts", 'import { x } from "../imager/x.ts";', "a role never imports another role"],
  ["src/fand/node.ts", 'import { x } from "node:fs";', "or the adapters of src/fand"],
  ["src/fand/backends/ffi.ts", 'import { x } from "bun:ffi";', "or the adapters of src/fand"],
  ["src/fand/backends/x-file.ts", 'import { x } from "node:fs";\nexport const y = Bun.file(x);', null],
  ["src/fand/config/x-load.ts", 'import { x } from "node:fs";', null],
  ["src/fand/backends/x-ffi.ts", 'import { x } from "bun:ffi";', null],
  ["src/fand/up-file.ts", 'import { x } from "../commands/x.ts";', "src/fand is called by src/commands"],
  ["src/fand/role-file.ts", 'import { x } from "../probe/x.ts";', "a role never imports another role"],
  ["src/probe/role.ts", 'import { x } from "../imager/x.ts";', "a role never imports another role"],
  ["src/probe/up.ts", 'import { x } from "../cli/x.ts";', "src/probe is called by src/commands"],
  ["src/probe/node.ts", 'import { x } from "node:dgram";', "or the adapters of src/probe"],
  ["src/probe/rows/bun.ts", "export const x = Bun.file('x');", "pure modules stay pure"],
  ["src/probe/health/x-http.ts", 'import { x } from "node:net";\nexport const y = Bun.file(x);', null],
  ["src/probe/discovery/x-socket.ts", 'import { x } from "node:dgram";', null],
  ["src/probe/discovery/x-dbus.ts", 'import { x } from "node:net";', null],
  ["src/probe/announce/x-file.ts", 'import { x } from "node:fs/promises";', null],
  [
    "src/probe/announce/role-file.ts",
    'import { x } from "../../imager/x.ts";',
    "a role never imports another role",
  ],
  ["src/system/role.ts", 'import { x } from "../imager/x.ts";', "src/system implements the ports"],
  ["src/system/node.ts", 'import { x } from "node:fs";\nexport const y = process.argv;', null],
  ["src/cli/role.ts", 'import { x } from "../commands/x.ts";', "src/cli is what every command shares"],
  ["src/cli/system.ts", 'import { x } from "../system/x.ts";', "src/cli is what every command shares"],
  ["src/cli/imager.ts", 'import { x } from "../imager/plan.ts";', "src/cli knows the events alone"],
  ["src/cli/event.ts", 'import type { x } from "../imager/event.ts";', null],
  ["src/commands/main.ts", 'import { x } from "../main.ts";', "nothing imports src/main.ts"],
  ["src/commands/all.ts", 'import { x } from "../imager/x.ts";\nimport { y } from "../system/y.ts";', null],
  ["src/main.ts", 'import { x } from "./imager/x.ts";', "src/main.ts registers commands"],
  ["src/core/any.ts", "export const x: any = 1;", "no-explicit-any"],
  ["src/core/export.ts", "export default 1;", "no-default-export"],
  ["src/core/round.ts", 'import { b } from "./trip.ts";\nexport const a = () => b;', "Dependency cycle"],
  ["src/core/trip.ts", 'import { a } from "./round.ts";\nexport const b = () => a;', "Dependency cycle"],
  ["src/core/float.ts", "export async function x() {}\nexport const y = () => { x(); };", "Promises must be"],
  [
    "src/core/switch.ts",
    'export function x(k: "a" | "b") { switch (k) { case "a": return 1; } return 2; }',
    "Switch is not exhaustive",
  ],
  ["src/cli/print.ts", 'console.log("x");', "console"],
];

interface Diagnostic {
  readonly filename: string;
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

let folder = "";
/** By file, what the linter said of it. */
const complaints = new Map<string, string[]>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-lint-"));
  await symlink(join(house, "node_modules"), join(folder, "node_modules"));
  for (const name of [".oxlintrc.json", "tsconfig.json"])
    await Bun.write(join(folder, name), Bun.file(join(house, name)));
  for (const [path, source] of snippets) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await Bun.write(join(folder, path), `${source}\n`);
  }
  const linter = Bun.spawnSync(["node_modules/.bin/oxlint", "--type-aware", "--format", "json", "src"], {
    cwd: folder,
  });
  const report = JSON.parse(linter.stdout.toString()) as { diagnostics: Diagnostic[] };
  for (const { filename, message, help = "", code } of report.diagnostics) {
    complaints.set(filename, [...(complaints.get(filename) ?? []), `${code}: ${message} ${help}`]);
  }
});

afterAll(() => rm(folder, { recursive: true }));

describe("the linter knows which way the arrows run", () => {
  test.each(snippets)("%s", (path, source, complaint) => {
    const told = complaints.get(path) ?? [];
    if (complaint === null)
      expect({ source, told: told.filter((line) => line.includes("restricted")) }).toEqual({
        source,
        told: [],
      });
    else
      expect({ source, told: told.join("\n") }).toEqual({ source, told: expect.stringContaining(complaint) });
  });
});
