import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { BerryError } from "../../core/errors.ts";
import { chooseBootFiles } from "./boot-files.ts";
import type { BootPorts, MachineRequest } from "./boot-request.ts";
import { defaultConsole, emulatedCommandLine } from "./command-line.ts";
import { readFirmwareConfig } from "./firmware-config.ts";
import { unpackKernel, type KernelImage } from "./kernel-image.ts";
import { runTool } from "./run-tool.ts";
import type { BootTools } from "./tools.ts";
import type { WorkingCopy } from "./working-copy.ts";

/** What the firmware would have loaded, as files on the host. */
export interface LoadedFirmware {
  readonly kernel: string;
  readonly initramfs: string | null;
  readonly deviceTree: string | null;
  readonly pageKiB: KernelImage["pageKiB"];
  readonly commandLine: string;
  readonly console: string;
  /** The files' paths on the boot partition. */
  readonly names: {
    readonly kernel: string;
    readonly initramfs: string | null;
    readonly deviceTree: string | null;
  };
}

/**
 * Does the firmware's work: reads config.txt and cmdline.txt from the boot partition of the copy,
 * fetches kernel, initramfs and device tree, and checks that the machine can run the kernel.
 * @throws BerryError `bad-data`
 */
export async function loadFirmware(
  copy: WorkingCopy,
  request: MachineRequest,
  tools: BootTools,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<LoadedFirmware> {
  const partition = `${copy.image}@@${copy.partitions.boot.offsetBytes}`;
  const listing = await runTool([tools.mdir, "-/", "-b", "-i", partition, "::/"], ports, signal).catch(
    (cause: unknown): never => {
      signal.throwIfAborted();
      throw new BerryError("bad-data", `the boot partition of ${request.image} cannot be read`, {
        hint: "bake it anew",
        cause,
      });
    },
  );
  const paths = listing
    .split("\n")
    .flatMap((line) => (line.startsWith("::/") && !line.endsWith("/") ? [line.slice(3)] : []));

  const folder = join(copy.folder, "boot");
  await mkdir(folder);
  const fetch = async (path: string, name: string): Promise<string> => {
    const place = join(folder, name);
    await runTool([tools.mcopy, "-n", "-i", partition, `::/${path}`, place], ports, signal);
    return place;
  };
  const text = async (name: string): Promise<string> => {
    const path = paths.find((candidate) => candidate.toLowerCase() === name);
    return path === undefined ? "" : readFile(await fetch(path, name), "utf8");
  };

  const names = chooseBootFiles(
    paths,
    request.emulation,
    readFirmwareConfig(await text("config.txt")),
    request.machine,
  );
  const console =
    (request.machine === "virt" ? null : request.emulation.console) ??
    defaultConsole(request.machine, names.deviceTree);
  const extra = request.machine === "virt" ? [] : request.emulation.cmdline;
  const commandLine = [
    emulatedCommandLine(await text("cmdline.txt"), request.machine, console),
    ...extra,
  ].join(" ");

  const packed = await fetch(names.kernel, "kernel.packed");
  const { image, pageKiB } = unpackKernel(await readFile(packed), basename(names.kernel));
  refusePages(pageKiB, request, names.kernel);
  const kernel = join(folder, "kernel");
  await writeFile(kernel, image);
  return {
    kernel,
    initramfs: names.initramfs === null ? null : await fetch(names.initramfs, "initramfs"),
    deviceTree: names.deviceTree === null ? null : await fetch(names.deviceTree, "device-tree"),
    pageKiB,
    commandLine,
    console,
    names,
  };
}

function refusePages(pageKiB: KernelImage["pageKiB"], request: MachineRequest, kernel: string): void {
  if (request.machine !== "raspi3b" || pageKiB !== 16) return;
  throw new BerryError(
    "bad-data",
    `kernel ${kernel} uses pages of 16 KiB, as only a Raspberry Pi 5 has them: the emulated Raspberry Pi 3 cannot run it`,
    {
      hint: "boot it with --machine virt, if the kernel has virtio drivers, or bake with a kernel of 4 KiB pages",
    },
  );
}
