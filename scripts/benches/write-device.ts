import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { attachLoop, mountNbd } from "../../test/fixtures/cards/block-devices.ts";

/** What a bench writes to: a loop device, new and empty. */
export interface BenchCard extends AsyncDisposable {
  /** `/dev/loopN`. */
  readonly device: string;
  /** The file under it: what `--yes-really` wants to hear. */
  readonly file: string;
  /** What reached the device since it is there. */
  writtenBytes(): Promise<number>;
}

/** `memory`: a file in /dev/shm; `disk`: a file in /var/tmp; else a file in /dev/shm behind a limit, as a card has. */
export type CardSpeed = "memory" | "disk" | { readonly bytesPerSecond: number };

export async function openBenchCard(speed: CardSpeed, sizeBytes: number): Promise<BenchCard> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(speed === "disk" ? "/var/tmp/berry-card-" : "/dev/shm/berry-card-");
  resources.defer(async () => await rm(folder, { recursive: true, force: true }));
  const memory = join(folder, "memory");
  const handle = await open(memory, "w");
  await handle.truncate(sizeBytes);
  await handle.close();
  let file = memory;
  if (typeof speed === "object") {
    const mount = resources.use(
      await mountNbd(folder, [
        ...["--command", "nbdkit", "--single", "--exit-with-parent", "--filter=rate", "file", memory],
        // Bits, each way; without a bucket that lets the first seconds pass.
        `rate=${speed.bytesPerSecond * 8}`,
        "burstiness=0.1",
      ]),
    );
    file = mount.file;
  }
  const { device } = resources.use(await attachLoop(file));
  const writtenBytes = async (): Promise<number> => {
    // Documentation/block/stat.rst: the 7th field counts sectors of 512 bytes that were written
    const fields = (await readFile(`/sys/block/${basename(device)}/stat`, "utf8")).trim().split(/\s+/);
    return Number(fields[6]) * 512;
  };
  const before = await writtenBytes();
  const taken = resources.move();
  return {
    device,
    file,
    writtenBytes: async () => (await writtenBytes()) - before,
    [Symbol.asyncDispose]: async () => await taken.disposeAsync(),
  };
}
