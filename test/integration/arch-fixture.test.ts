import { beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ArchFixture, makeArchFixture, makeBigPackages } from "../fixtures/archlinuxarm.ts";
import { serveArch } from "../fixtures/arch-server.ts";
import { archTarget } from "../fixtures/arch-target.ts";
import { inEmulatedRoot } from "../fixtures/emulated-root.ts";
import { readExt4 } from "../fixtures/ext4-metadata.ts";
import { hostState } from "../fixtures/host-state.ts";
import { namespaceArgv } from "../fixtures/namespace.ts";
import { netRawCapability, oddFolder } from "../fixtures/odd-entries.ts";
import { type OrdinaryUser, ordinaryUser } from "../fixtures/ordinary-user.ts";
import { compareTrees } from "../fixtures/tree-entry.ts";
import { parseTree } from "../fixtures/tree-metadata.ts";
import { targetSchema } from "../../src/imager/targets/target.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const withHostPacman = `. ${fixtures}/pacman-host.sh\n`;
const patience = { timeout: 120_000 };
const signal = () => AbortSignal.timeout(110_000);

let fixture: ArchFixture;
let user: OrdinaryUser;

beforeAll(async () => {
  user = await ordinaryUser(signal());
  fixture = await makeArchFixture({ pacman: true }, AbortSignal.timeout(590_000));
}, 600_000);

describe("the Arch Linux ARM that the tests make", () => {
  test(
    "is installed into by the host's pacman, which demands signatures, while scriptlets and hooks run as arm64",
    async () => {
      await using server = await serveArch(fixture);
      const script = `${withHostPacman}
host_pacman -Sy
host_pacman -Rdd linux-aarch64 uboot-raspberrypi
host_pacman -S --needed linux-rpi avahi
echo "TRACE $(cat "$R"/var/log/berry-scriptlets "$R"/var/log/berry-hooks | tr '\\n' ',')"
echo "MACHINE $(chroot "$R" uname -m)"
echo "EMULATED $(chroot "$R" pacman -Q linux-rpi 2>/dev/null)"
echo "CMDLINE $(cat "$R/boot/cmdline.txt")"
host_pacman -Qkk linux-rpi
systemctl --root="$R" enable avahi-daemon.service systemd-resolved.service
test -L "$R/etc/systemd/system/multi-user.target.wants/avahi-daemon.service" && echo ENABLED`;
      const before = await hostState(user, signal());
      const { stdout, stderr, exitCode } = await inEmulatedRoot(
        user,
        fixture.tarball,
        script,
        { MIRROR: server.mirror },
        signal(),
      );
      expect(stderr).not.toContain("error");
      expect(stdout).toContain(
        "TRACE linux-rpi post_install on aarch64,avahi post_install on aarch64,hook sysusers on aarch64,",
      );
      expect(stdout).toContain("MACHINE aarch64");
      expect(stdout).toContain("EMULATED linux-rpi 6.12.60-1");
      expect(stdout).toContain("CMDLINE root=/dev/mmcblk0p2 ");
      expect(stdout).toMatch(/linux-rpi: \d+ total files, 0 altered files/);
      expect(stdout).toContain("ENABLED");
      expect(exitCode).toBe(0);
      expect(server.requests.map(({ path }) => path)).toContain(
        "/aarch64/alarm/linux-rpi-6.12.60-1-aarch64.pkg.tar.xz.sig",
      );
      expect(await hostState(user, signal())).toEqual(before);
    },
    patience.timeout,
  );

  test(
    "has a kernel that is not installed beside the one of the tarball",
    async () => {
      await using server = await serveArch(fixture);
      const { stdout, exitCode } = await inEmulatedRoot(
        user,
        fixture.tarball,
        `${withHostPacman}host_pacman -Sy linux-rpi`,
        { MIRROR: server.mirror },
        signal(),
      );
      expect(stdout).toContain("linux-rpi and linux-aarch64 are in conflict");
      expect(exitCode).not.toBe(0);
    },
    patience.timeout,
  );

  test(
    "has packages that the host's pacman refuses with the signature of a revoked key",
    async () => {
      await using server = await serveArch(fixture);
      const { stdout, exitCode } = await inEmulatedRoot(
        user,
        fixture.tarball,
        `${withHostPacman}host_pacman -Sy berry-strange`,
        { MIRROR: server.mirror },
        signal(),
      );
      expect(stdout).toMatch(/berry-strange: key "Revoked packager of the test .*" is disabled/);
      expect(exitCode).not.toBe(0);
    },
    patience.timeout,
  );

  test(
    "has a scriptlet that fails, of which pacman tells on its output alone",
    async () => {
      await using server = await serveArch(fixture);
      const { stdout, exitCode } = await inEmulatedRoot(
        user,
        fixture.tarball,
        `${withHostPacman}host_pacman -Sy berry-broken-scriptlet`,
        { MIRROR: server.mirror },
        signal(),
      );
      expect(stdout).toContain("error: command failed to execute correctly");
      expect(exitCode).toBe(0);
    },
    patience.timeout,
  );

  test(
    "has ballast of any size, signed and with scriptlets, to measure with",
    async () => {
      const big = await makeBigPackages(fixture, 8, signal());
      await using server = await serveArch(fixture, [big]);
      const script = `${withHostPacman}
printf '[bench]\\nServer = %s\\n' "$MIRROR" >>"$W/pacman.conf"
host_pacman -Sy ${big.names.join(" ")}
echo "SIZE $(du -s --apparent-size --block-size=1M "$R/usr/share/${big.names[0]}" | cut -f1)"
echo "TRACE $(cat "$R/var/log/berry-scriptlets")"`;
      const env = { MIRROR: server.mirror };
      const { stdout, exitCode } = await inEmulatedRoot(user, fixture.tarball, script, env, signal());
      expect(stdout).toMatch(/SIZE [89]/);
      expect(stdout).toContain("TRACE berry-big1 post_install on aarch64");
      expect(exitCode).toBe(0);
    },
    patience.timeout,
  );

  test(
    "has programs of its own for users, passwords and packages, which run emulated",
    async () => {
      await using server = await serveArch(fixture);
      const script = `${withHostPacman}
printf 'alarm:straw\\n' | chroot "$R" chpasswd
chroot "$R" groupadd -r spi
chroot "$R" useradd -m -G wheel,spi -s /bin/bash chaney
printf 'chaney:berry\\n' | chroot "$R" chpasswd
chroot "$R" userdel -r alarm 2>/dev/null
chroot "$R" usermod -L root
echo "ID $(chroot "$R" id chaney)"
echo "SHADOW $(grep chaney "$R/etc/shadow")"
test ! -e "$R/home/alarm" && echo GONE
sed -i 's,^Server = .*,Server = '"$MIRROR"',' "$R/etc/pacman.d/mirrorlist"
cp -a "$W/gnupg" "$R/etc/pacman.d/gnupg"
chroot "$R" pacman --noconfirm --disable-sandbox -Sy vim
echo "VIM $(chroot "$R" vim)"`;
      const { stdout, stderr, exitCode } = await inEmulatedRoot(
        user,
        fixture.tarball,
        script,
        { MIRROR: server.mirror },
        signal(),
      );
      expect(stdout + stderr).toContain("VIM vim of the test");
      expect(stdout).toMatch(/ID uid=1001\(chaney\) .*998\(wheel\)/);
      expect(stdout).toMatch(/SHADOW chaney:\$6\$/);
      expect(stdout).toContain("GONE");
      expect(exitCode).toBe(0);
    },
    patience.timeout,
  );

  test(
    "keeps in an image what unpacking and packing may lose, read without mounting it",
    async () => {
      await using folder = await user.makeFolder();
      const script = `umask 022; mkdir root; trap 'rm -rf root' EXIT
bsdtar -xpf "$TARBALL" -C root --acls --xattrs --numeric-owner
"$BUN" ${fixtures}/tree-metadata.ts root >tree.jsonl
truncate -s 460M pi.img; mke2fs -q -t ext4 -b 4096 -E offset=1048576 -d root pi.img 450M 2>/dev/null`;
      const env = { TARBALL: fixture.tarball, BUN: process.execPath };
      const ran = await user.run(
        namespaceArgv(["bash", "-euc", script], user.userId),
        { cwd: folder.path, env },
        signal(),
      );
      expect(ran.stderr).toBe("");
      const unpacked = parseTree(await readFile(join(folder.path, "tree.jsonl"), "utf8"));
      const image = await readExt4(join(folder.path, "pi.img"), 1024 * 1024, signal());
      expect(compareTrees(unpacked, image, { ignoreTimes: ["/"] })).toEqual([]);

      const odd = (name: string) => image.find(({ path }) => path === `/${oddFolder}/${name}`);
      expect(image.length).toBeGreaterThan(2000);
      expect(image.find(({ path }) => path === "/usr/bin/ping")?.xattrs).toEqual({
        "security.capability": netRawCapability.toHex(),
      });
      expect(odd("setuid")).toMatchObject({ mode: "4755", uid: 0 });
      expect(odd("setgid-sticky")).toMatchObject({ type: "directory", mode: "3775", gid: 998 });
      expect(odd("owner-81-42")).toMatchObject({ uid: 81, gid: 42 });
      expect(odd("owner-65534-65534")).toMatchObject({ uid: 65_534, gid: 65_534 });
      expect(odd("hardlink-b")?.hardLinkOf).toBe("/usr/share/berry-odd/below/hardlink-c");
      expect(odd("link-long")?.target).toHaveLength(207);
      expect(odd("attributed")?.xattrs).toEqual({
        "user.berry": "7374726177",
        "user.binary": "000102ff225c",
      });
      expect(odd("Größe-名前-🍓")?.size).toBe(6);
      expect(odd("empty")).toMatchObject({ size: 0, mtime: 1_000_000_000 });
      expect(odd("sparse")?.size).toBe(64 * 1024 * 1024);
      expect(odd("sparse")?.allocatedBytes).toBeLessThan(100_000);
    },
    patience.timeout,
  );

  test("is described by the shipped target with addresses and a key of its own", async () => {
    await using folder = await user.makeFolder();
    await using server = await serveArch(fixture);
    const file = await archTarget(fixture, server, folder.path);
    const target = targetSchema.parse(Bun.TOML.parse(await readFile(file, "utf8")));
    if (target.family !== "pacman") throw new Error(`not a pacman target: ${target.family}`);
    expect(target.rootfs.signing_key).toBe(fixture.builder.fingerprint);
    expect(target.pacman.mirror).toBe(`${server.url}/$arch/$repo`);
    const offered = await Promise.all(
      target.pacman.repositories.map(
        async (name) => (await readFile(join(fixture.folder, "aarch64", name, `${name}.db`))).length,
      ),
    );
    expect(offered.every((bytes) => bytes > 0)).toBe(true);
    expect((await fetch(target.rootfs.url, { method: "HEAD" })).status).toBe(200);
  });
});
