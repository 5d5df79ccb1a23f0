import { describe, expect, test } from "bun:test";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeArchFixture } from "../fixtures/archlinuxarm.ts";
import { openImage } from "../fixtures/baked-image.ts";
import { openBakery } from "../fixtures/bakery.ts";
import { clusterText } from "../fixtures/cluster-text.ts";
import { hostState } from "../fixtures/host-state.ts";
import { mustRun } from "../fixtures/run.ts";
import { compareTrees } from "../fixtures/tree-entry.ts";

const patience = 180_000;
const signal = () => AbortSignal.timeout(patience);
const isRoot = process.getuid?.() === 0;
// crypt(5) of "straw" with a salt of its own, so that two bakes write the same
const hash =
  "$6$berryplaces$0hrjK1Z9nFuLqjK8ZoP0oFf2BqWk1qVnUoM3r0S1Yl4Y4rQ1cXb8m2n5v7x9z1A3C5E7G9I1K3M5O7Q9S1U3W/";
const cluster = clusterText({
  image:
    'locale = "en_US.UTF-8"\npackages = ["vim"]\nscript = "script.sh"\nfiles = [{ source = "motd", path = "/etc/a name, with: odd [letters] ?", mode = "0600", secret = true }]',
  user: `name = "chaney"\npassword_hash = "${hash}"`,
});

describe("a bake", () => {
  test("works below a folder of any name: blanks, commas, colons, @@, ?, brackets, quotes and UTF-8", async () => {
    const fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
    const name = `Bäckerei 名前 🍓, with: colons; 'quotes' "doubled" @@4096 ?offset=1 [x]* #1 %41 \\134 $HOME ${"long ".repeat(12)}`;
    await using bakery = await openBakery(fixture, signal(), name);
    await bakery.write("script.sh", "#!/bin/sh\nexit 0\n", 0o755);
    await bakery.write("motd", "strawberries\n");
    await bakery.write("berry.toml", cluster);
    const run = await bakery.bake([]);
    expect(run.exitCode === 0 ? "" : run.stdout).toBe("");
    expect(run.events.filter(({ event }) => event === "warned")).toEqual([]);
    // debugfs reads an offset from the path, as it does for berry: the image moves to a plain one
    const plain = join(bakery.folder, "..", "pi1.img");
    await mustRun(["mv", join(bakery.folder, "images/pi1.img"), plain], {}, signal());
    const image = await openImage(plain, signal());
    expect(await image.complaints()).toEqual([]);
    expect(await image.text("/etc/hostname")).toBe("pi1\n");
    expect(await image.text("/etc/a name, with: odd [letters] ?")).toBe("strawberries\n");
    expect(await image.text("/etc/shadow")).toContain(`chaney:${hash}:`);
    expect((await image.root()).some(({ path }) => path === "/usr/bin/vim")).toBe(true);
    expect(await image.bootPaths()).toContain("/kernel8.img");
    // The second one patches from the cache.
    expect((await bakery.bake([])).exitCode).toBe(0);
    const names = (await readdir(join(bakery.folder, "images"))).filter((name) => name.startsWith("pi1."));
    expect(names.toSorted()).toEqual(["pi1.cdx.json", "pi1.img"]);
  }, 700_000);

  test.skipIf(!isRoot)(
    "by root takes the same path, makes the same image, and leaves the host's binfmt_misc alone",
    async () => {
      const fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
      await using bakery = await openBakery(fixture, signal());
      await bakery.write("script.sh", "#!/bin/sh\nuname -m >/var/lib/script-ran\n", 0o755);
      await bakery.write("motd", "strawberries\n");
      await bakery.write("berry.toml", cluster);
      const ordinary = await bakery.bake([]);
      expect(ordinary.exitCode).toBe(0);
      const images = join(bakery.folder, "images");
      await mustRun(["mv", images, `${images}-ordinary`], {}, signal());

      const before = await hostState(bakery.user, signal());
      const byRoot = await bakery.bake([], { asRoot: true, cache: join(bakery.folder, "cache-root") });
      expect(byRoot.exitCode === 0 ? "" : byRoot.stdout).toBe("");
      expect(await hostState(bakery.user, signal())).toEqual(before);

      const titles = (run: typeof ordinary) =>
        run.events.flatMap((event) => (event.event === "started" ? [event.title] : []));
      expect(titles(byRoot)).toEqual(titles(ordinary));
      expect((await lstat(join(images, "pi1.img"))).mode & 0o7777).toBe(0o600);
      const one = await openImage(`${images}-ordinary/pi1.img`, signal());
      const other = await openImage(join(images, "pi1.img"), signal());
      expect(await other.complaints()).toEqual([]);
      const differences = compareTrees(await one.root(), await other.root(), { ignoreTimes: "*" });
      // what says when it was installed
      expect(differences.filter((line) => !/^\/var\/lib\/pacman\/local\/[^/]+\/desc: /.test(line))).toEqual(
        [],
      );
      expect(await other.bootPaths()).toEqual(await one.bootPaths());
      expect(await other.text("/var/lib/script-ran")).toBe("aarch64\n");
    },
    700_000,
  );
});
