import { createStyle } from "../../cli/style.ts";
import { defineVerb } from "../../cli/verb.ts";
import { BerryError } from "../../core/errors.ts";
import { systemRoots } from "../../fand/backends/collect-machine-file.ts";
import type { Ioctl } from "../../fand/backends/gpio-file.ts";
import { collectDoctorFacts } from "../../fand/doctor/collect-doctor-file.ts";
import { diagnose } from "../../fand/doctor/diagnose.ts";
import { commandRunner } from "../../system/command-runner.ts";
import { runFolderOf } from "./run-folder.ts";
import { tellFindings } from "./tell-doctor.ts";

const systemctlMilliseconds = 3000;

/** `berry fand doctor`: what is missing on this board for its fans, and what mends it; nothing is touched. */
export const doctor = defineVerb({
  description: "look at the board, and say what is missing for its fans and what mends it; nothing is driven",
  examples: ["berry fand doctor", "berry fand doctor fand.toml"],
  args: {
    file: { type: "positional", required: false, description: "the configuration: that of this machine" },
  },
  async run({ args, json, stdout, signal }) {
    const facts = await collectDoctorFacts(
      {
        ...systemRoots,
        proc: "/proc",
        boot: ["/boot/firmware", "/boot"],
        systemd: "/run/systemd/system",
        failsafe: "/usr/lib/berry/fand-failsafe",
        runFolder: runFolderOf(process.env),
      },
      args.file ?? null,
      {
        uid: process.getuid?.() ?? 0,
        systemctl: (words) => systemctl(words, signal),
        ioctl: await ioctlOrNull(),
      },
    );
    signal.throwIfAborted();
    const findings = diagnose(facts);
    stdout.write(
      json
        ? `${JSON.stringify({ model: facts.machine.model, findings })}\n`
        : tellFindings(findings, createStyle(stdout.color))
            .map((line) => `${line}\n`)
            .join(""),
    );
    const problems = findings.filter((finding) => finding.severity === "problem");
    const [first] = problems;
    if (first === undefined) return;
    const count = problems.length === 1 ? "one thing is" : `${problems.length} things are`;
    throw new BerryError(first.kind, `${count} missing for berry fand`, {
      hint: "the lines above say what mends it; berry fand doctor again says whether it did",
    });
  },
});

/** null: not there, or it does not answer in time, as where its bus hangs. */
async function systemctl(words: readonly string[], signal: AbortSignal): Promise<string | null> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(systemctlMilliseconds)]);
  const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", SYSTEMD_COLORS: "0" };
  try {
    const { stdout, exitCode } = await commandRunner.run(
      ["systemctl", "--no-pager", ...words],
      { env },
      patience,
    );
    return exitCode === 0 ? stdout : null;
  } catch {
    return null;
  }
}

async function ioctlOrNull(): Promise<Ioctl | null> {
  try {
    const { openIoctl } = await import("../../fand/backends/ioctl-ffi.ts");
    return openIoctl();
  } catch {
    return null;
  }
}
