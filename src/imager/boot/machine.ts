import { BerryError } from "../../core/errors.ts";
import { loadFirmware, type LoadedFirmware } from "./boot-partition.ts";
import type { BootPorts, MachineRequest } from "./boot-request.ts";
import { startConsoleProcess, type ConsoleListener, type ConsoleProcess } from "./console-process.ts";
import { freePort } from "./free-port.ts";
import { instrument } from "./instrument.ts";
import { qemuArguments } from "./qemu-arguments.ts";
import { emulationFiles, reportFiles } from "./report-unit.ts";
import { findBootTools, toolPath, type BootTools } from "./tools.ts";
import { copyImage, type WorkingCopy } from "./working-copy.ts";

/** A running emulated machine. Disposing of it ends QEMU and removes the working copy. */
export interface Machine extends AsyncDisposable {
  readonly pid: number;
  /** Every finished line of the console so far. */
  readonly consoleLines: readonly string[];
  /** See `ConsoleProcess.waitForLine`. */
  waitForLine(pattern: RegExp, signal: AbortSignal, from?: number): Promise<string>;
  /** Types on the console; a line ends with `\n`. */
  write(text: string): void;
  /** Ports of 127.0.0.1 that lead to the machine's sshd and node_exporter. */
  readonly ports: MachinePorts;
  readonly console: ConsoleProcess;
}

export interface MachinePorts {
  readonly ssh: number;
  readonly nodeExporter: number;
}

/** A machine that is ready to start: everything but QEMU itself. */
export interface PreparedMachine extends AsyncDisposable {
  readonly tools: BootTools;
  readonly copy: WorkingCopy;
  readonly firmware: LoadedFirmware;
}

/** How long the guest's report waits for systemd to finish the boot. */
const guestWaitSeconds = 240;
const startAttempts = 3;
const startMilliseconds = 3000;

/** Copies the image, instruments the copy where asked to, and loads what the firmware would load. */
export async function prepareMachine(
  request: MachineRequest,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<PreparedMachine> {
  const tools = findBootTools(ports.environment);
  await using undo = new AsyncDisposableStack();
  const copy = undo.use(await copyImage(request.image, request.scratchDirectory, tools.cp, ports, signal));
  ports.tell({ event: "copied", sizeBytes: copy.sizeBytes });
  const firmware = await loadFirmware(copy, request, tools, ports, signal);
  const files = request.instrumented ? [...emulationFiles, ...reportFiles(guestWaitSeconds)] : emulationFiles;
  await instrument(copy, files, tools.debugfs, ports, signal);
  const owned = undo.move();
  return { tools, copy, firmware, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/**
 * Boots an image on an emulated machine and hands it over while it runs.
 * @param listener told of the console's lines as they come
 * @throws BerryError `unavailable` when a program is missing, `bad-data` when the image cannot be booted
 */
export async function startMachine(
  request: MachineRequest,
  ports: BootPorts,
  signal: AbortSignal,
  listener: ConsoleListener = () => {},
): Promise<Machine> {
  await using undo = new AsyncDisposableStack();
  const prepared = undo.use(await prepareMachine(request, ports, signal));
  const started = await startQemu(prepared, request, ports, signal, listener);
  undo.use(started.console);
  const { console } = started;
  const onAbort = (): void => void console[Symbol.asyncDispose]();
  signal.addEventListener("abort", onAbort, { once: true });
  undo.defer(() => signal.removeEventListener("abort", onAbort));
  signal.throwIfAborted();
  const owned = undo.move();
  return {
    pid: console.pid,
    consoleLines: console.lines,
    waitForLine: (pattern, waitSignal, from) => console.waitForLine(pattern, waitSignal, from),
    write: (text) => console.write(text),
    ports: started.ports,
    console,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** QEMU's argument list for a prepared machine, and the ports in it. */
export async function qemuCommand(
  prepared: PreparedMachine,
  request: MachineRequest,
  interactive: boolean,
): Promise<{ readonly argv: readonly string[]; readonly ports: MachinePorts }> {
  const ports = { ssh: await freePort(), nodeExporter: await freePort() };
  const { kernel, initramfs, deviceTree, commandLine, console, pageKiB } = prepared.firmware;
  const arguments_ = qemuArguments({
    machine: request.machine,
    disk: prepared.copy.image,
    ...{ kernel, initramfs, deviceTree, commandLine, console, pageKiB, interactive },
    sshPort: ports.ssh,
    nodeExporterPort: ports.nodeExporter,
  });
  return { argv: [prepared.tools.qemu, ...arguments_], ports };
}

/** Another program may take a port between its choice and QEMU's start: then QEMU is started once more. */
async function startQemu(
  prepared: PreparedMachine,
  request: MachineRequest,
  ports: BootPorts,
  signal: AbortSignal,
  listener: ConsoleListener,
): Promise<{ readonly console: ConsoleProcess; readonly ports: MachinePorts }> {
  const environment = { PATH: toolPath(ports.environment) };
  for (let attempt = 1; ; attempt += 1) {
    const command = await qemuCommand(prepared, request, false);
    signal.throwIfAborted();
    const console = startConsoleProcess(command.argv, prepared.tools.setpriv, environment, listener);
    tellStarted(prepared, request, command.ports, ports);
    const firstSign = await startOf(console, ports, signal);
    if (firstSign !== "ended") {
      // QEMU holds the files open: without names they go with it, even when berry itself is killed.
      if (firstSign === "output") await prepared.copy[Symbol.asyncDispose]();
      return { console, ports: command.ports };
    }
    await console[Symbol.asyncDispose]();
    signal.throwIfAborted();
    const portTaken = /host forwarding rule/.test(console.complaints());
    if (!portTaken || attempt === startAttempts) throw qemuFailed(console);
  }
}

/** QEMU refuses its arguments at once: it runs when the console speaks, or when it has lived for a while. */
async function startOf(
  console: ConsoleProcess,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<"output" | "ended" | "silent"> {
  const settled = new AbortController();
  const either = AbortSignal.any([signal, settled.signal]);
  try {
    return await Promise.race([
      console.exited.then(() => "ended" as const),
      console.waitForLine(/./, either).then(
        () => "output" as const,
        () => "ended" as const,
      ),
      ports.clock.sleep(startMilliseconds, either).then(
        () => "silent" as const,
        () => "ended" as const,
      ),
    ]);
  } finally {
    settled.abort();
  }
}

function tellStarted(
  prepared: PreparedMachine,
  request: MachineRequest,
  forwarded: MachinePorts,
  ports: BootPorts,
): void {
  ports.tell({
    event: "started",
    machine: request.machine,
    ...prepared.firmware.names,
    commandLine: prepared.firmware.commandLine,
    sshPort: forwarded.ssh,
    nodeExporterPort: forwarded.nodeExporter,
  });
}

function qemuFailed(console: ConsoleProcess): BerryError {
  const why = console.complaints().split("\n").at(-1) || "it said nothing";
  return new BerryError("software", `QEMU ended before the machine had started: ${why}`, {
    hint: "berry needs QEMU 6.2 or newer with slirp networking: qemu-system-aarch64 --version",
  });
}
