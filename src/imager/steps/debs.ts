import { link, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BerryError } from "../../core/errors.ts";
import type { FetchDebs, InstallDebs, UnpackDebs } from "../package-step.ts";
import type { StepContext } from "./context.ts";
import { hostProgram, imageEnvironment } from "./run.ts";

/** Options that make the host's dpkg install for another architecture into `root`. */
export function dpkgArgv(root: string): string[] {
  return [
    "dpkg",
    `--root=${root}`,
    `--log=${root}/var/log/dpkg.log`,
    // the host's dpkg takes the image's architecture for a foreign one
    "--force-architecture",
    "--force-depends",
    "--force-confold",
    // a layer that was not published is thrown away
    "--force-unsafe-io",
  ];
}

export async function fetchDebs(step: FetchDebs, context: StepContext): Promise<void> {
  const env = { APT_CONFIG: step.config };
  await mkdir(join(step.archives, "partial"), { recursive: true, mode: 0o700 });
  const selected = await selectedDebs(step, context);
  const totalBytes = selected.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await context.runner
    .run(
      aptGet(step.archives, ["--download-only", "install", ...step.packages]),
      {
        env: { ...context.environment, ...env },
        onLine: (line) => {
          // apt(8)'s status lines: dlstatus:ITEM:PERCENT:TEXT
          const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
          if (percent === undefined) context.emit({ event: "output", step: context.step, line });
          else
            context.emit({
              event: "progress",
              step: context.step,
              doneBytes: Math.round((Number(percent) / 100) * totalBytes),
              totalBytes,
            });
        },
      },
      context.signal,
    )
    .then(({ exitCode, stdout, stderr }) => {
      if (exitCode === 0) return;
      const said = `${stdout}\n${stderr}`.split("\n").filter((line) => /^[EW]: /.test(line));
      throw new BerryError("unavailable", `apt cannot download the packages\n${said.join("\n")}`, {
        hint: "check the network and image.mirror, then run the bake again: what was downloaded is kept",
      });
    });
  const except = new Set(step.except === null ? [] : await readdir(step.except));
  await rm(step.into, { recursive: true, force: true });
  await mkdir(step.into, { recursive: true });
  for (const { file } of selected) {
    if (!except.has(file)) await link(join(step.archives, file), join(step.into, file));
  }
}

/** What apt would install, asked with an empty archive folder: it lists only what it has not. */
async function selectedDebs(
  step: FetchDebs,
  context: StepContext,
): Promise<{ file: string; sizeBytes: number }[]> {
  const empty = join(context.scratch, "no-archives");
  await mkdir(join(empty, "partial"), { recursive: true });
  const { stdout } = await hostProgram(
    aptGet(empty, ["--print-uris", "install", ...step.packages]),
    { env: { APT_CONFIG: step.config } },
    context,
  );
  return stdout.split("\n").flatMap((line) => {
    const match = /^'[^']+' (\S+\.deb) (\d+) /.exec(line);
    return match === null ? [] : [{ file: match[1] ?? "", sizeBytes: Number(match[2]) }];
  });
}

function aptGet(archives: string, argv: readonly string[]): string[] {
  return [
    "apt-get",
    "--yes",
    "--quiet",
    "--option",
    `Dir::Cache::archives=${archives}`,
    "--option",
    "APT::Status-Fd=1",
    ...argv,
  ];
}

export async function unpackDebs(step: UnpackDebs, context: StepContext): Promise<void> {
  await mkdir(step.into, { recursive: true });
  for (const file of (await readdir(step.from)).sort()) {
    await hostProgram(["dpkg-deb", "--extract", join(step.from, file), step.into], {}, context);
  }
}

export async function installDebs(step: InstallDebs, context: StepContext): Promise<void> {
  const argv =
    step.action === "configure"
      ? ["--configure", "--pending"]
      : ["--no-triggers", "--unpack", "--recursive", step.action.unpack];
  if (step.action !== "configure" && (await readdir(step.action.unpack)).length === 0) return;
  await hostProgram([...dpkgArgv(step.root), ...argv], { env: imageEnvironment }, context);
}
