import { chmod, cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type ConsoleListener, startConsoleProcess } from "../../../src/imager/boot/console-process.ts";
import { compiledBerry } from "../../fixtures/compiled-berry.ts";
import { plainEnvironment } from "../../fixtures/run.ts";
import { treeWithFans } from "./device-tree.ts";
import { fandGuest, writeArchive } from "./guest.ts";

/** An emulated Pi 3 with fans, Debian's kernel and systemd, and berry as it is installed on a node; in memory, without a card. */
export interface FandMachine extends AsyncDisposable {
  /** Output of a shell script that has to succeed. @throws Error with all that it wrote */
  run(script: string): Promise<string>;
  /** The last lines of the console and of the journal, for whoever looks for the cause of a failure. */
  lastWords(): Promise<string>;
}

const house = resolve(import.meta.dirname, "../../..");
const units = "usr/lib/systemd/system";

/** @param files more files of the guest, by path from its root @param commandLine options of its kernel */
export async function startFandMachine(
  files: Readonly<Record<string, string>>,
  commandLine: readonly string[],
  signal: AbortSignal,
  listener: ConsoleListener = () => {},
): Promise<FandMachine> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "fand-machine-"));
  undo.defer(async () => await rm(folder, { recursive: true }));
  const guest = await fandGuest(signal);
  const initramfs = join(folder, "initramfs");
  await cp(guest.archive, initramfs);
  await append(await archiveOfBerry(files, folder, signal), initramfs);
  const consoleLog = join(folder, "console.log");
  const options = [
    ...["console=ttyS1,115200", "iomem=relaxed", "panic=-1", "systemd.show_status=0"],
    ...commandLine,
  ];
  const argv = [
    ...["qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-monitor", "none", "-no-reboot"],
    ...["-kernel", guest.kernel, "-initrd", initramfs],
    ...["-dtb", await treeWithFans(guest.deviceTree, folder, signal)],
    ...["-append", options.join(" ")],
    // time passes with the instructions of all processors, one a nanosecond, and not while nobody has anything to do:
    // how busy this machine is makes no difference
    ...["-icount", "shift=0,sleep=off"],
    ...["-chardev", "stdio,id=agent,signal=off", "-serial", "chardev:agent", "-serial", `file:${consoleLog}`],
  ];
  const qemu = startConsoleProcess(argv, "setpriv", plainEnvironment(folder), listener);
  undo.use(qemu);
  let number = 0;
  const run = async (script: string): Promise<string> => {
    number += 1;
    const from = qemu.lines.length;
    qemu.write(`#${number}\n${script}\n#end\n`);
    const last = await qemu.waitForLine(new RegExp(`^@${number}=\\d+$`), signal, from);
    const mark = `@${number} `;
    const output = qemu.lines
      .slice(from)
      .flatMap((line) => (line.startsWith(mark) ? [line.slice(mark.length)] : []))
      .join("\n");
    const code = last.slice(last.indexOf("=") + 1);
    if (code !== "0") throw new Error(`exit code ${code} of ${script}\n${output}`);
    return output;
  };
  const lastWords = async (): Promise<string> => {
    const console = (await readFile(consoleLog, "utf8").catch(() => "")).split("\n").slice(-20);
    const said = qemu.lines.filter((line) => line.startsWith("@")).slice(-20);
    return [qemu.complaints(), ...console, ...said].join("\n");
  };
  await qemu.waitForLine(/^@ready$/, signal).catch(async (cause: unknown) => {
    throw new Error(`the emulated Pi did not start:\n${await lastWords()}`, { cause });
  });
  const owned = undo.move();
  return { run, lastWords, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Berry as the image has it, and what the test adds. */
async function archiveOfBerry(
  files: Readonly<Record<string, string>>,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const root = join(folder, "root");
  const install = async (source: string, path: string, mode: number): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await cp(source, join(root, path));
    await chmod(join(root, path), mode);
  };
  await install((await compiledBerry(signal)).forImages, "usr/bin/berry", 0o755);
  await install(join(house, "systemd/berry-fand-failsafe.sh"), "usr/lib/berry/fand-failsafe", 0o755);
  await install(join(house, "systemd/berry-fand.service"), `${units}/berry-fand.service`, 0o644);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const archive = join(folder, "berry.cpio");
  await writeArchive(root, archive, signal);
  return archive;
}

/** One archive after the other: the kernel unpacks them in turn. */
async function append(source: string, target: string): Promise<void> {
  await using file = await open(target, "a");
  await file.writeFile(Bun.file(source).stream());
}
