import { chown, mkdir, open, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { mountNbd } from "../../test/fixtures/cards/block-devices.ts";
import { mustRun } from "../../test/fixtures/run.ts";
import type { Command } from "./session.ts";
import { openStage, type Stage, type StagePlan } from "./stage.ts";

const cardBytes = 4 * 1024 ** 3;
const bytesPerSecond = [40e6, 33e6] as const;

export interface CardStage {
  readonly stage: Stage;
  /** Of the two cards. */
  readonly devices: readonly string[];
  /** What berry calls their models: their files. */
  readonly models: readonly string[];
}

/**
 * A stage with two slow cards: loop devices, which the user may write to, over files that a server lets through as
 * fast as a card. Of the machine's own disks, those below `/` alone are seen there.
 */
export async function openCardStage(
  plan: StagePlan,
  scratch: string,
  signal: AbortSignal,
): Promise<CardStage & AsyncDisposable> {
  await using made = new AsyncDisposableStack();
  const files: string[] = [];
  for (const [index, rate] of bytesPerSecond.entries()) {
    const folder = join(scratch, `card${index}`);
    await mkdir(folder, { recursive: true });
    const memory = join(folder, "memory");
    await using handle = await open(memory, "w");
    await handle.truncate(cardBytes);
    const server = ["--command", "nbdkit", "--single", "--exit-with-parent", "--filter=rate", "file", memory];
    // Bits, each way; without a bucket that lets the first seconds pass.
    const { file } = made.use(await mountNbd(folder, [...server, `rate=${rate * 8}`, "burstiness=0.1"]));
    files.push(file);
  }
  const stage = made.use(await openStage(plan));
  const models = ["/mnt/red", "/mnt/blue"];
  const devices: string[] = [];
  for (const [index, model] of models.entries()) {
    await stage.asRoot(["touch", model], signal);
    await stage.asRoot(["mount", "--bind", files[index] ?? "", model], signal);
    const device = (
      await stage.asRoot(["losetup", "--find", "--show", "--direct-io=on", model], signal)
    ).trim();
    made.defer(async () => await detach(device, model));
    await refuseOther(device, model);
    await lend(device, plan, made);
    devices.push(device);
  }
  await stage.asRoot(["sh", "-euc", onlyDisks, "sh", ...devices.map((device) => basename(device))], signal);
  const taken = made.move();
  return { stage, devices, models, [Symbol.asyncDispose]: async () => await taken.disposeAsync() };
}

/** @throws Error unless the device is a loop device over that file */
async function refuseOther(device: string, file: string): Promise<void> {
  const name = /^\/dev\/(loop\d+)$/.exec(device)?.[1];
  const behind = name && (await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => ""));
  if (behind?.trim() !== file) throw new Error(`${device} is not a loop device over ${file}`);
}

async function detach(device: string, file: string): Promise<void> {
  await refuseOther(device, file);
  await mustRun(["losetup", "--detach", device], {}, new AbortController().signal);
}

/** As a desktop's user may write to a card that was put in; taken back with the stage. */
async function lend(device: string, { user }: StagePlan, made: AsyncDisposableStack): Promise<void> {
  const { uid, gid } = await stat(device);
  await chown(device, user.userId, gid);
  made.defer(async () => await chown(device, uid, gid));
}

/** Hides all disks but those named and those that `/` lies on. */
const onlyDisks = `root=$(findmnt --noheadings --nofsroot --output SOURCE --target /)
below=$(lsblk --inverse --noheadings --list --output NAME "$root" 2>/dev/null || :)
mkdir /mnt/links
for name in "$@" $below; do
    [ ! -e "/sys/block/$name" ] || ln -sfn "$(readlink -f "/sys/block/$name")" "/mnt/links/$name"
done
mount --bind /mnt/links /sys/block`;

export const writeTitle = "berry imager write: two cards at once, read back";

export function writeCommands({ devices, models }: CardStage): readonly Command[] {
  const pairs = devices.map((device, index) => `pi${index + 1} ${device}`).join(" ");
  return [
    {
      typed: "berry imager devices",
      exitCode: 0,
      pace: { longestMilliseconds: 300, budgetMilliseconds: 600 },
    },
    {
      typed: `berry imager write ${pairs} --yes-really ${models.join(",")}`,
      exitCode: 0,
      pace: { longestMilliseconds: 300, budgetMilliseconds: 14_000 },
    },
  ];
}
