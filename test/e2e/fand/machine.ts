import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConsoleListener, startConsoleProcess } from "../../../src/imager/boot/console-process.ts";
import { plainEnvironment } from "../../fixtures/run.ts";
import { treeWithFans } from "./device-tree.ts";
import type { InstalledGuest } from "./installed-guest.ts";

/** An emulated Pi 3 with fans, Debian's kernel and systemd, and berry as pacman has installed it; in memory, without a card. */
export interface FandMachine extends AsyncDisposable {
  /** Output of a shell script that has to succeed. @throws Error with all that it wrote */
  run(script: string): Promise<string>;
  /** The last lines of the console and of the journal, for whoever looks for the cause of a failure. */
  lastWords(): Promise<string>;
}

/** @param archives the guest's files, what comes later over what comes before @param commandLine options of its kernel */
export async function startFandMachine(
  { kernel, deviceTree }: InstalledGuest,
  archives: readonly string[],
  commandLine: readonly string[],
  signal: AbortSignal,
  listener: ConsoleListener = () => {},
): Promise<FandMachine> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "fand-machine-"));
  undo.defer(async () => await rm(folder, { recursive: true }));
  const initramfs = join(folder, "initramfs");
  for (const archive of archives) await append(archive, initramfs);
  const consoleLog = join(folder, "console.log");
  const options = [
    ...["console=ttyS1,115200", "iomem=relaxed", "panic=-1", "systemd.show_status=0"],
    ...commandLine,
  ];
  const argv = [
    ...["qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-monitor", "none", "-no-reboot"],
    ...["-kernel", kernel, "-initrd", initramfs],
    ...["-dtb", await treeWithFans(deviceTree, folder, signal)],
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

/** One archive after the other: the kernel unpacks them in turn. */
async function append(source: string, target: string): Promise<void> {
  await using file = await open(target, "a");
  await file.writeFile(Bun.file(source).stream());
}
