import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf } from "../../../fixtures/failure-of.ts";
import { pathInRoot, realPathInRoot } from "../../../../src/imager/steps/root-path.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "berry-root-"));
  await mkdir(join(root, "usr/lib"), { recursive: true });
  await mkdir(join(root, "etc"));
  await writeFile(join(root, "etc/hostname"), "pi1\n");
  const links = {
    lib: "usr/lib",
    "etc/localtime": "/usr/share/zoneinfo/UTC",
    "etc/host": "/etc/hostname",
    outside: "/../../../../etc",
    upwards: "../../../../../../etc",
    chain: "lib/../../lib",
    circle: "circle",
    one: "two",
    two: "/one",
    dangling: "no/such/folder",
  };
  for (const [path, target] of Object.entries(links)) await symlink(target, join(root, path));
});
afterAll(() => rm(root, { recursive: true }));

describe("a path inside the image", () => {
  test.each([
    ["/etc/hostname", "etc/hostname"],
    ["etc/hostname", "etc/hostname"],
    ["//etc/./hostname", "etc/hostname"],
    ["/lib/systemd", "usr/lib/systemd"],
    ["/chain/x", "usr/lib/x"],
    ["/not/there/yet", "not/there/yet"],
    ["/etc/hostname/below", "etc/hostname/below"],
    ["/dangling/file", "no/such/folder/file"],
  ])("%s lies at %s", async (path, expected) => {
    expect(await realPathInRoot(root, path)).toBe(join(root, expected));
  });
  test.each(["/outside/passwd", "/upwards/passwd", "/../../etc/passwd", "/etc/../../../etc/passwd"])(
    "%s does not lead out of it",
    async (path) => {
      expect(await realPathInRoot(root, path)).toBe(join(root, "etc/passwd"));
      expect(await pathInRoot(root, path)).toBe(join(root, "etc/passwd"));
    },
  );
  test("keeps a link at its end unless it is to be followed", async () => {
    expect(await pathInRoot(root, "/etc/localtime")).toBe(join(root, "etc/localtime"));
    expect(await realPathInRoot(root, "/etc/localtime")).toBe(join(root, "usr/share/zoneinfo/UTC"));
    expect(await realPathInRoot(root, "/etc/host")).toBe(join(root, "etc/hostname"));
  });
  test("follows links before its end in either case", async () => {
    expect(await pathInRoot(root, "/lib/x")).toBe(join(root, "usr/lib/x"));
  });
  test("is the root itself where nothing is left of it", async () => {
    for (const path of ["/", "", "/..", "/."]) {
      expect(await pathInRoot(root, path)).toBe(root);
      expect(await realPathInRoot(root, path)).toBe(root);
    }
  });
  test.each(["/circle", "/circle/x", "/one", "/two/x"])(
    "%s, which leads in a circle, is refused",
    async (path) => {
      expect(await failureOf(realPathInRoot(root, path))).toMatchObject({
        kind: "bad-data",
        message: `too many symbolic links in the image: ${path}`,
      });
    },
  );
  test("may end at a link that leads in a circle when it is not followed", async () => {
    expect(await pathInRoot(root, "/circle")).toBe(join(root, "circle"));
  });
});
