import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProblem } from "../../../../src/config/problem.ts";
import { examineFand, settingsOf } from "../../../../src/fand/config/fand-load.ts";
import { BerryError } from "../../../../src/core/errors.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

const uid = process.getuid?.() ?? 0;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-fand-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, toml: string, mode = 0o644): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, toml);
  await chmod(file, mode);
  return file;
}
const told = async (file: string) =>
  (await examineFand(file, uid)).problems.map((problem) => formatProblem(problem).replaceAll(folder, ""));

describe("loading", () => {
  test("takes the file that is named", async () => {
    const report = await examineFand(await write("fand.toml", "pin = 18"), uid);
    expect(settingsOf(report)).toMatchObject({ file: join(folder, "fand.toml"), fans: [{ pin: 18 }] });
  });
  test("takes the first file that is there, the original's too, or else the defaults", async () => {
    const berry = join(folder, "none.toml");
    const original = await write("rpifand.toml", "[MAIN]\ngpio_pin = 4\n");
    expect((await examineFand(null, uid, [berry, original])).file).toBe(original);
    const none = await examineFand(null, uid, [berry]);
    expect(none).toMatchObject({ file: null, settings: { file: null, fans: [{ backend: "auto" }] } });
  });
  test("names every problem at once", async () => {
    const report = await examineFand(await write("bad.toml", "pin = 99\nmode = 1"), uid);
    expect(() => settingsOf(report)).toThrow(/bad.toml: pin: .*\n.*bad.toml: mode: /);
    expect(report.settings).toBeNull();
  });
  test("refuses a file that is not there, or no TOML", async () => {
    const missing = await failureOf(examineFand(join(folder, "x.toml"), uid));
    expect(missing).toBeInstanceOf(BerryError);
    expect(missing).toMatchObject({ kind: "no-input" });
    expect(await failureOf(examineFand(await write("syntax.toml", "pin = "), uid))).toMatchObject({
      kind: "config",
    });
    expect(await failureOf(examineFand(await write("fand.ts", "export default {}"), uid))).toMatchObject({
      kind: "config",
    });
  });
  test("takes the mark of UTF-8, and refuses what is no text of it, or too much", async () => {
    const marked = await examineFand(await write("marked", "\uFEFFpin = 12"), uid);
    expect(settingsOf(marked).fans[0]?.pin).toBe(12);
    const refused = async (name: string, content: string | Uint8Array) => {
      const file = join(folder, name);
      await writeFile(file, content);
      const { kind, message } = (await failureOf(examineFand(file, uid))) as BerryError;
      return `${kind}: ${message.replace(`${folder}/`, "")}`;
    };
    expect(await refused("latin1", Buffer.from("pin = 18 # \u00e9", "latin1"))).toBe(
      "config: latin1: not UTF-8 text",
    );
    expect(await refused("utf16", Buffer.from("pin = 18", "utf16le"))).toBe("config: utf16: not UTF-8 text");
    expect(await refused("huge", "#".repeat(1024 * 1024 + 1))).toBe(
      "config: huge: 1048577 bytes: no configuration is larger than 1 MiB",
    );
  });
});

describe("a configuration that others may change", () => {
  test("is refused", async () => {
    expect(await told(await write("open.toml", "", 0o666))).toEqual([
      "/open.toml: others may write to /open.toml, got mode 0666; chmod go-w /open.toml",
    ]);
  });
  test("is refused when its folder is open, or that of a link to it", async () => {
    await mkdir(join(folder, "open"));
    await chmod(join(folder, "open"), 0o777);
    const inside = await write("open/fand.toml", "");
    expect(await told(inside)).toEqual([
      "/open/fand.toml: others may write to /open, got mode 0777; chmod go-w /open",
    ]);
    await symlink(inside, join(folder, "link.toml"));
    expect(await told(join(folder, "link.toml"))).toEqual([
      "/link.toml: others may write to /open, got mode 0777; chmod go-w /open",
    ]);
    await chmod(join(folder, "open"), 0o1777);
    expect(await told(inside)).toEqual([]);
  });
  test.if(uid === 0)("is refused when it belongs to another user", async () => {
    const file = await write("foreign.toml", "");
    await chown(file, 12_345, 0);
    expect(await told(file)).toEqual([
      "/foreign.toml: /foreign.toml belongs to another user, got user 12345; chown root /foreign.toml",
    ]);
  });
});
