import { systemRoots } from "../../fand/backends/collect-machine-file.ts";
import type { Ioctl } from "../../fand/backends/gpio-file.ts";
import { collectDoctorFacts } from "../../fand/doctor/collect-doctor-file.ts";
import type { DoctorFacts } from "../../fand/doctor/facts.ts";
import { systemctl } from "../systemctl.ts";
import { runFolderOf } from "./run-folder.ts";

/**
 * All that a fan needs of this machine; nothing is touched.
 * @param file the configuration; null: that of this machine
 */
export async function lookAtBoard(file: string | null, signal: AbortSignal): Promise<DoctorFacts> {
  return await collectDoctorFacts(
    {
      ...systemRoots,
      proc: "/proc",
      boot: ["/boot/firmware", "/boot"],
      systemd: "/run/systemd/system",
      failsafe: "/usr/lib/berry/fand-failsafe",
      runFolder: runFolderOf(process.env),
    },
    file,
    {
      uid: process.getuid?.() ?? 0,
      systemctl: (words) => systemctl(words, signal),
      ioctl: await ioctlOrNull(),
    },
  );
}

async function ioctlOrNull(): Promise<Ioctl | null> {
  try {
    const { openIoctl } = await import("../../fand/backends/ioctl-ffi.ts");
    return openIoctl();
  } catch {
    return null;
  }
}
