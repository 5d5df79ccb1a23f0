import type { BootPorts, MachineRequest } from "../../../src/imager/boot/boot-request.ts";
import { type ConsoleProcess, startConsoleProcess } from "../../../src/imager/boot/console-process.ts";
import { prepareMachine, qemuCommand } from "../../../src/imager/boot/machine.ts";
import type { MdnsLab } from "../../fixtures/mdns-lab.ts";

/**
 * Boots an image as `berry imager boot` does, but with its cable in the lab's bridge: nothing of QEMU's own network,
 * which hears no multicast, is between the machine and its neighbours.
 * @param tap of the lab's plan
 * @returns the console; disposing of it ends QEMU
 */
export async function bootInLab(
  request: MachineRequest,
  { lab, tap }: { readonly lab: MdnsLab; readonly tap: string },
  ports: BootPorts,
  signal: AbortSignal,
): Promise<ConsoleProcess> {
  await using undo = new AsyncDisposableStack();
  const prepared = undo.use(await prepareMachine(request, ports, signal));
  const { argv } = await qemuCommand(prepared, request, false);
  const plugged = argv.with(argv.indexOf("-netdev") + 1, `tap,id=net,ifname=${tap},script=no,downscript=no`);
  const console = undo.use(
    startConsoleProcess(lab.emulatorArgv(plugged), prepared.tools.setpriv, ports.environment, () => {}),
  );
  const owned = undo.move();
  return { ...console, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
