import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { berryPackage } from "../../fixtures/berry-package.ts";
import { inEmulatedRoot } from "../../fixtures/emulated-root.ts";
import { ordinaryUser } from "../../fixtures/ordinary-user.ts";
import { mustRun } from "../../fixtures/run.ts";
import { fandGuest } from "./guest.ts";

/** The guest's files after pacman has installed berry's package among them, and what was said of it. */
export interface InstalledGuest extends AsyncDisposable {
  readonly kernel: string;
  readonly deviceTree: string;
  /** All files, as an archive that the kernel unpacks. */
  readonly archive: string;
  /** What `systemctl enable` adds to them, as another one. */
  readonly enabled: string;
  readonly said: Readonly<Record<"install" | "check" | "owners" | "enable" | "remove" | "left", string>>;
  /** What the package says of its files: lines of `SHA256  /PATH`, without the program, which takes an emulated Pi too long. */
  readonly digests: string;
}

/** @param files more files of the guest, by path from its root; a drop-in of a unit gets a copy of the package's own unit */
export async function installGuest(
  files: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<InstalledGuest> {
  const [guest, file] = await Promise.all([fandGuest(signal), berryPackage(signal)]);
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "fand-guest-"));
  undo.defer(async () => await rm(folder, { recursive: true }));
  await chmod(folder, 0o755);
  const tree = join(folder, "tree");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  const user = await ordinaryUser(signal);
  const output = undo.use(await user.makeFolder()).path;
  const { exitCode, stdout, stderr } = await inEmulatedRoot(
    user,
    guest.archive,
    `. ${join(import.meta.dirname, "install-berry.sh")}`,
    { PACKAGE: file, TREE: tree, OUT: output },
    signal,
  );
  const read = async (name: string): Promise<string> => await readFile(join(output, name), "utf8");
  if (exitCode !== 0) throw new Error(`${stdout}${stderr}${await read("install").catch(() => "")}`);
  const said = {
    install: await read("install"),
    check: await read("check"),
    owners: await read("owners"),
    enable: await read("enable"),
    remove: await read("remove"),
    left: await read("left"),
  };
  const digests = await digestsOf(file, signal);
  const owned = undo.move();
  return {
    kernel: guest.kernel,
    deviceTree: guest.deviceTree,
    archive: join(output, "root.cpio"),
    enabled: join(output, "enabled.cpio"),
    said,
    digests,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function digestsOf(file: string, signal: AbortSignal): Promise<string> {
  const listed = await mustRun(["sh", "-c", 'bsdtar -xOf "$1" .MTREE | gzip -cd', "sh", file], {}, signal);
  return Array.from(listed.matchAll(/^\.(\/[^.]\S*) .*sha256digest=([0-9a-f]{64})$/gm))
    .filter(([, path]) => path !== "/usr/bin/berry")
    .map(([, path, digest]) => `${digest}  ${path}`)
    .join("\n");
}
