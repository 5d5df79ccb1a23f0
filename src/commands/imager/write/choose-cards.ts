import { access, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { VerbContext } from "../../../cli/verb.ts";
import type { Cluster } from "../../../config/cluster.ts";
import { readCluster } from "../../read-cluster.ts";
import { BerryError } from "../../../core/errors.ts";
import { printable } from "../../../core/printable.ts";
import { formatBytes } from "../../../core/units.ts";
import { resolveTarget } from "../../../imager/disks/choose-disk.ts";
import { collectDisks } from "../../../imager/disks/collect-disks.ts";
import { collectKeepPaths } from "../../../imager/disks/collect-keep-paths.ts";
import { lookAtTarget } from "../../../imager/disks/collect-target.ts";
import { type Disk, systemRoots } from "../../../imager/disks/disk.ts";
import { judgeDisk } from "../../../imager/disks/verdict.ts";
import type { OpenImage } from "../../../imager/source/image-map.ts";
import { openImage } from "../../../imager/source/open-image.ts";
import type { CardRequest } from "../../../imager/write/write-cards.ts";
import { type Answers, type Question, questionOf, type Target } from "./confirm-cards.ts";
import { type InvokingUser, withRightsOf } from "./invoking-user.ts";
import { imagePath, mayBeNode, type Pair, refuseAll } from "./pairs.ts";
import { probeInTime } from "./probe-in-time.ts";
import { deniedDevices, permissionFailure } from "./permission.ts";

export interface Choice {
  readonly pairs: readonly Pair[];
  /** The cluster file. */
  readonly file: string;
  /** --bmap, as it was typed. */
  readonly bmap: string | null;
  readonly answers: Answers;
  /** Whose rights open files. */
  readonly user: InvokingUser | null;
  /** The whole command line, for advice. */
  readonly typed: readonly string[];
}

export interface ChosenCard extends CardRequest {
  readonly question: Question;
}

export interface ChosenCards extends AsyncDisposable {
  readonly cards: readonly ChosenCard[];
}

/**
 * Images and cards, judged: disks are looked at, images opened, nothing is written. Everything that speaks against it
 * is told at once: of names and disks first, then of permissions, then of images.
 *
 * @throws BerryError of the first problem's kind
 */
export async function chooseCards(
  choice: Choice,
  context: Pick<VerbContext, "log" | "screen" | "signal">,
): Promise<ChosenCards> {
  const { log, signal } = context;
  const problems: BerryError[] = [];
  const images = await withRightsOf(choice.user, async () => await findImages(choice, problems, log, signal));
  const found = images.flatMap((path) => (path === null ? [] : [path]));
  const keep = await collectKeepPaths(found.flatMap((path) => [path, dirname(path)]));
  const disks = await collectDisks(systemRoots, keep, signal);
  const targets = await findTargets(choice.pairs, disks, problems);
  for (const target of targets) if (target !== null) judged(target, null, choice.answers, problems);
  refuseAll(problems);
  const denied = await deniedDevices(
    targets.flatMap((target) => (target === null ? [] : [target.disk.path])),
  );
  if (denied.length > 0) throw permissionFailure(denied, choice.typed);
  const probed = await Promise.all(
    targets.map(async (target) => target && { ...target, disk: await probeInTime(target.disk, log, signal) }),
  );

  await using undo = new AsyncDisposableStack();
  const open = await withRightsOf(
    choice.user,
    async () => await openAll(choice, found, undo, problems, context),
  );
  const cards = choice.pairs.flatMap((_, index): ChosenCard[] => {
    const [path, target] = [images[index], probed[index]];
    const image = path === null || path === undefined ? undefined : open.get(path);
    if (image === undefined || !target) return [];
    const question = judged(target, image.map.sizeBytes, choice.answers, problems);
    if (question === null) return [];
    const isConfirmed = judgeDisk(target.disk, { minimumBytes: null }).verdict === "confirm";
    return [{ disk: target.disk, image, isConfirmed, question }];
  });
  refuseAll(problems);
  const owned = undo.move();
  return { cards, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The absolute path of each pair's image; null, and a problem, where there is none. */
async function findImages(
  choice: Choice,
  problems: BerryError[],
  log: VerbContext["log"],
  signal: AbortSignal,
): Promise<(string | null)[]> {
  const needsCluster = choice.pairs.some(({ image }) => mayBeNode(image));
  const cluster = needsCluster ? await clusterOf(choice, log, signal) : null;
  const paths: (string | null)[] = [];
  for (const { image } of choice.pairs) {
    try {
      const path = resolve(imagePath(image, await exists(image), cluster));
      await refuseUnbaked(path, image, cluster);
      paths.push(path);
    } catch (thrown) {
      problems.push(asProblem(thrown));
      paths.push(null);
    }
  }
  return paths;
}

/** null: there is no berry.toml, and every word is a file. */
async function clusterOf(
  { file, pairs }: Choice,
  log: VerbContext["log"],
  signal: AbortSignal,
): Promise<Cluster | null> {
  if (!(await exists(file))) {
    const others = await Promise.all(
      pairs.map(async ({ image }) => !mayBeNode(image) || (await exists(image))),
    );
    if (file === "berry.toml" || others.every(Boolean)) return null;
  }
  return await readCluster(file, log, signal);
}

async function refuseUnbaked(path: string, image: string, cluster: Cluster | null): Promise<void> {
  const entry = await stat(path).catch(() => null);
  if (entry?.isFile() === true) return;
  if (entry !== null) throw new BerryError("usage", `${path} is not a file`, { hint: "name an image" });
  const isNode = cluster !== null && basename(path) === `${image}.img` && mayBeNode(image);
  throw isNode
    ? new BerryError("no-input", `${image} has not been baked: no ${path}`, {
        hint: `berry imager bake ${image}`,
      })
    : new BerryError("no-input", `cannot find the image ${path}`);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function findTargets(
  pairs: readonly Pair[],
  disks: readonly Disk[],
  problems: BerryError[],
): Promise<(Target | null)[]> {
  const taken = new Map<string, string>();
  const targets: (Target | null)[] = [];
  for (const { device } of pairs) {
    try {
      const target = resolveTarget(await lookAtTarget(device), disks);
      const other = taken.get(target.disk.identity.majorMinor);
      if (other !== undefined) {
        throw new BerryError("usage", `${other} and ${device} are the same disk, ${target.disk.path}`, {
          hint: "each image needs a card of its own",
        });
      }
      taken.set(target.disk.identity.majorMinor, device);
      targets.push(target);
    } catch (thrown) {
      problems.push(asProblem(thrown));
      targets.push(null);
    }
  }
  return targets;
}

/** null, and the problems, when the disk may not be written to. */
function judged(
  target: Target,
  minimumBytes: number | null,
  answers: Answers,
  problems: BerryError[],
): Question | null {
  const verdict = judgeDisk(target.disk, { minimumBytes });
  if (verdict.verdict === "refused") {
    for (const { reason, remedy } of verdict.reasons) {
      problems.push(
        new BerryError(
          "usage",
          `${target.disk.path} is not written to: ${reason}`,
          remedy === null ? {} : { hint: remedy },
        ),
      );
    }
    return null;
  }
  const question = questionOf(target, verdict.verdict, answers);
  if (!(question instanceof BerryError)) return question;
  problems.push(question);
  return null;
}

/** Each image once, however many cards it goes to. */
async function openAll(
  { bmap }: Choice,
  paths: readonly string[],
  undo: AsyncDisposableStack,
  problems: BerryError[],
  { log, screen, signal }: Pick<VerbContext, "log" | "screen" | "signal">,
): Promise<Map<string, OpenImage>> {
  const open = new Map<string, OpenImage>();
  if (bmap !== null && new Set(paths).size > 1) {
    problems.push(
      new BerryError("usage", `--bmap ${bmap} belongs to one image, but there are several`, {
        hint: "put each block map beside its image, as IMAGE.bmap",
      }),
    );
    return open;
  }
  for (const path of new Set(paths)) {
    try {
      const options = {
        bmap: bmap === null ? "find" : resolve(bmap),
        tell: (unpackedBytes: number) => {
          screen.redraw([`unpacking ${printable(basename(path))}: ${formatBytes(unpackedBytes)}`]);
        },
        warn: (message: string, hint: string) => {
          log.warn(message, hint);
        },
      };
      open.set(path, undo.use(await openImage(path, options, signal)));
    } catch (thrown) {
      problems.push(asProblem(thrown));
    } finally {
      screen.redraw([]);
    }
  }
  return open;
}

function asProblem(thrown: unknown): BerryError {
  if (thrown instanceof BerryError) return thrown;
  throw thrown;
}
