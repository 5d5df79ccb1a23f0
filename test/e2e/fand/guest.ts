import { cp, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cachedFolder, inputHash } from "../../fixtures/cache.ts";
import { openDebianArchive, unpackDebs } from "../../fixtures/debian-packages.ts";
import { mustRun } from "../../fixtures/run.ts";

/** The files of a small Debian with systemd and Debian's own kernel, as archives that the kernel unpacks into memory. */
export interface Guest {
  readonly kernel: string;
  readonly deviceTree: string;
  /** All but berry. */
  readonly archive: string;
}

const suite = "trixie";
const packages = [
  "base-files",
  "base-passwd",
  "busybox-static",
  "coreutils",
  "dash",
  "gpiod",
  "kmod",
  "mount",
  "perl-base",
  "systemd-sysv",
  "util-linux",
];
const fromBusybox = ["grep", "sed"];
const modules = ["pwm-bcm2835", "pwm-fan", "gpio-fan", "bcm2835_thermal"];
const ownFiles = join(import.meta.dirname, "guest");

/** What of a running Debian has nothing to do here, and would take its time. */
const masked = [
  "dev-hugepages.mount",
  "dev-mqueue.mount",
  "getty.target",
  "ldconfig.service",
  "proc-sys-fs-binfmt_misc.automount",
  "sys-fs-fuse-connections.mount",
  "sys-kernel-config.mount",
  "sys-kernel-tracing.mount",
  "systemd-binfmt.service",
  "systemd-firstboot.service",
  "systemd-hwdb-update.service",
  "systemd-journal-catalog-update.service",
  "systemd-logind.service",
  "systemd-modules-load.service",
  "systemd-networkd.service",
  "systemd-networkd.socket",
  "systemd-pstore.service",
  "systemd-random-seed.service",
  "systemd-sysusers.service",
  "systemd-tpm2-setup-early.service",
  "systemd-tpm2-setup.service",
  "systemd-udev-trigger.service",
  "systemd-udevd-control.socket",
  "systemd-udevd-kernel.socket",
  "systemd-udevd.service",
  "systemd-update-done.service",
  "systemd-update-utmp.service",
];

/** Documentation, and what of the packages above nobody runs. */
const superfluous = [
  "usr/share/doc",
  "usr/share/info",
  "usr/share/locale",
  "usr/share/man",
  "usr/lib/udev",
  "usr/lib/systemd/catalog",
  "usr/lib/systemd/boot",
  "usr/lib/systemd/systemd-networkd",
  "usr/lib/aarch64-linux-gnu/gconv",
  "usr/lib/aarch64-linux-gnu/security",
  "usr/lib/aarch64-linux-gnu/perl-base/unicore",
];

/** Made of Debian's packages, which are unpacked and not installed: no maintainer script runs. Kept between runs. */
export async function fandGuest(signal: AbortSignal): Promise<Guest> {
  const own = (await readdir(ownFiles)).map((name) => join(ownFiles, name));
  const key = await inputHash([...own, import.meta.filename], [suite]);
  const folder = await cachedFolder(`fand-guest-${key}`, async (draft) => {
    await build(draft, signal);
  });
  return {
    kernel: join(folder, "kernel"),
    deviceTree: join(folder, "bcm2837-rpi-3-b.dtb"),
    archive: join(folder, "root.cpio"),
  };
}

async function build(draft: string, signal: AbortSignal): Promise<void> {
  const apt = join(draft, "apt");
  const root = join(draft, "root");
  await mkdir(apt);
  const archive = await openDebianArchive(apt, suite, signal);
  const debs = await archive.download([...packages, "linux-image-arm64"]);
  const [, kernelPackage] = Array.from(debs).find(([name]) => /^linux-image-\d.*-arm64$/.test(name)) ?? [];
  if (kernelPackage === undefined) throw new Error("there is no kernel among the packages");
  for (const name of ["bin", "sbin", "lib"]) {
    await mkdir(join(root, "usr", name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
  const leftOut = /^(?:linux-image|linux-base|initramfs-tools|dracut|klibc|debconf|openssl-provider|udev)/;
  await unpackDebs(
    Array.from(debs).flatMap(([name, deb]) => (leftOut.test(name) ? [] : [deb])),
    root,
    signal,
  );
  for (const path of superfluous) await rm(join(root, path), { recursive: true, force: true });
  await takeKernel(kernelPackage, draft, root, signal);
  await settle(root);
  await writeArchive(root, join(draft, "root.cpio"), signal);
  for (const path of [apt, root]) await rm(path, { recursive: true });
}

async function takeKernel(deb: string, draft: string, root: string, signal: AbortSignal): Promise<void> {
  const unpacked = join(draft, "kernel-package");
  await mkdir(unpacked);
  await unpackDebs([deb], unpacked, signal);
  const [release = ""] = await readdir(join(unpacked, "usr/lib/modules"));
  await cp(join(unpacked, `boot/vmlinuz-${release}`), join(draft, "kernel"));
  const tree = "bcm2837-rpi-3-b.dtb";
  await cp(join(unpacked, `usr/lib/linux-image-${release}/broadcom/${tree}`), join(draft, tree));
  const found = (await readdir(join(unpacked, `usr/lib/modules/${release}`), { recursive: true })).filter(
    (path) => modules.some((name) => path.includes(`/${name}.ko`)) || /modules\.(?:order|builtin)/.test(path),
  );
  for (const path of found) {
    const place = join(root, "usr/lib/modules", release, path);
    await mkdir(dirname(place), { recursive: true });
    await cp(join(unpacked, "usr/lib/modules", release, path), place);
  }
  await mustRun(["depmod", "-b", root, release], {}, signal);
  await rm(unpacked, { recursive: true });
}

async function settle(root: string): Promise<void> {
  const units = join(root, "etc/systemd/system");
  for (const name of ["proc", "sys", "dev", "run", "tmp", "root", "var/log", "var/lib", "var/tmp"])
    await mkdir(join(root, name), { recursive: true });
  await mkdir(join(units, "multi-user.target.wants"), { recursive: true });
  await cp(join(root, "usr/share/base-passwd/passwd.master"), join(root, "etc/passwd"));
  await cp(join(root, "usr/share/base-passwd/group.master"), join(root, "etc/group"));
  await writeFile(join(root, "etc/machine-id"), "5d41402abc4b2a76b9719d911017c592\n");
  await writeFile(join(root, "etc/hostname"), "pi1\n");
  await writeFile(join(root, "etc/fstab"), "");
  await symlink("/usr/lib/systemd/system/multi-user.target", join(units, "default.target"));
  for (const name of fromBusybox) await symlink("busybox", join(root, "usr/bin", name));
  for (const unit of masked) await symlink("/dev/null", join(units, unit));
  await cp(join(ownFiles, "init"), join(root, "init"));
  for (const name of await readdir(ownFiles))
    if (/\.p[lm]$/.test(name)) await cp(join(ownFiles, name), join(root, "usr/lib/berry-test", name));
  await cp(join(ownFiles, "agent.service"), join(units, "agent.service"));
  await symlink("/etc/systemd/system/agent.service", join(units, "multi-user.target.wants/agent.service"));
}

async function writeArchive(root: string, path: string, signal: AbortSignal): Promise<void> {
  const argv = ["bsdtar", "--format", "newc", "--uid", "0", "--gid", "0", "-cf", path, "-C", root, "."];
  await mustRun(argv, {}, signal);
}
