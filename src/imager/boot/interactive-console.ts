import type { BootPorts, MachineRequest } from "./boot-request.ts";
import { prepareMachine, qemuCommand, type MachinePorts } from "./machine.ts";
import { toolPath } from "./tools.ts";

const leaveHint = "Ctrl-A X ends the machine, Ctrl-A H lists the other keys";

/**
 * Hands the terminal over to the console of an emulated machine that boots an image, until the machine ends.
 * No report unit is put into the copy. QEMU makes the terminal raw; Ctrl-C goes to the machine.
 * @param onStart told just before the terminal is handed over
 * @throws BerryError as startMachine does
 */
export async function bootInteractively(
  request: Omit<MachineRequest, "instrumented">,
  onStart: (ports: MachinePorts, hint: string) => void,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<void> {
  const machineRequest = { ...request, instrumented: false };
  await using prepared = await prepareMachine(machineRequest, ports, signal);
  const command = await qemuCommand(prepared, machineRequest, true);
  const environment = { PATH: toolPath(ports.environment) };
  const terminal = await terminalState(environment);
  onStart(command.ports, leaveHint);
  signal.throwIfAborted();
  const child = Bun.spawn([prepared.tools.setpriv, "--pdeathsig", "KILL", "--", ...command.argv], {
    env: environment,
    stdio: ["inherit", "inherit", "inherit"],
  });
  const onAbort = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    await child.exited;
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (terminal !== null) await stty([terminal], environment);
  }
  signal.throwIfAborted();
}

/** What `stty` needs to restore the terminal after a QEMU that was killed; null: standard input is none. */
async function terminalState(environment: Readonly<Record<string, string>>): Promise<string | null> {
  const state = await stty(["-g"], environment);
  return state === "" ? null : state;
}

async function stty(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  if (!process.stdin.isTTY) return "";
  const child = Bun.spawn(["stty", ...words], {
    env: environment,
    stdin: "inherit",
    stdout: "pipe",
    stderr: "ignore",
  });
  const output = await new Response(child.stdout).text();
  return (await child.exited) === 0 ? output.trim() : "";
}
