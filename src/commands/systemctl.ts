import { commandRunner } from "../system/command-runner.ts";

const patienceMilliseconds = 3000;

/** What `systemctl` prints; null: it is not there, or it does not answer in time, as where its bus hangs. */
export async function systemctl(words: readonly string[], signal: AbortSignal): Promise<string | null> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMilliseconds)]);
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
