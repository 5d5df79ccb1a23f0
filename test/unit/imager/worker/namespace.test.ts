import { describe, expect, test } from "bun:test";
import {
  identityMap,
  lockConflict,
  namespaceArgv,
  outputConflict,
} from "../../../../src/imager/worker/namespace.ts";

const argv = ["/usr/bin/berry", "imager", "worker"];
const request = { lockFile: "/cache/lock", outputFolder: null, argv };

describe("the way into the namespaces", () => {
  test("maps an ordinary user's sub-ids", () => {
    const words = namespaceArgv({ ...request, isRoot: false });
    expect(words).toContain("--map-auto");
    expect(words).toContain("--map-root-user");
    expect(words).not.toContain("--keep-caps");
  });
  test("leaves the mapping of root to whoever starts it", () => {
    const words = namespaceArgv({ ...request, isRoot: true });
    expect(words).toContain("--keep-caps");
    expect(words.join(" ")).not.toContain("--map");
    expect(identityMap).toBe("0 0 4294967295\n");
  });
  test.each([true, false])(
    "has mounts and processes of its own, which end with berry (root: %p)",
    (isRoot) => {
      const words = namespaceArgv({ ...request, isRoot });
      for (const word of ["--user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        expect(words).toContain(word);
      expect(words.slice(0, 4)).toEqual(["setpriv", "--pdeathsig", "KILL", "--"]);
    },
  );
  test.each([true, false])(
    "holds the lock before anything, and does not wait for it (root: %p)",
    (isRoot) => {
      const words = namespaceArgv({ ...request, isRoot });
      expect(words.indexOf("flock")).toBeLessThan(words.indexOf("unshare"));
      expect(words).toContain("--nonblock");
      expect(words[words.indexOf("--conflict-exit-code") + 1]).toBe(String(lockConflict));
      expect(words[words.indexOf("unshare") - 1]).toBe("/cache/lock");
    },
  );
  test("holds the folder of the images as well, where there is one", () => {
    const words = namespaceArgv({ ...request, outputFolder: "/images", isRoot: false });
    expect(words.filter((word) => word === "flock")).toHaveLength(2);
    expect(words.slice(words.indexOf("/images") - 2, words.indexOf("/images") + 2)).toEqual([
      String(outputConflict),
      "--no-fork",
      "/images",
      "unshare",
    ]);
  });
  test("ends with the program, which no option can be mistaken for", () => {
    const words = namespaceArgv({ ...request, isRoot: false, argv: ["--odd", "--user"] });
    expect(words.slice(-3)).toEqual(["--", "--odd", "--user"]);
  });
});
