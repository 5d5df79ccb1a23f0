import { createConnection } from "node:net";

import type { BootPorts } from "./boot-request.ts";
import { toolPath } from "./tools.ts";

export interface LoginResult {
  readonly state: "accepted" | "refused" | "not tried";
  /** Why; empty when accepted. */
  readonly detail: string;
}

export interface NodeExporterResult {
  readonly state: "answers" | "silent";
  /** Samples named `node_…` on its page. */
  readonly samples: number;
}

export interface LoginAttempt {
  readonly port: number;
  readonly user: string | null;
  readonly identities: readonly string[];
}

const pauseMilliseconds = 1000;
const connectionMilliseconds = 15_000;

/** Tries until the deadline; the last answer counts. An emulated machine may take long to accept a connection. */
async function keepTrying<Answer>(
  ask: () => Promise<Answer | null>,
  seconds: number,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<Answer | null> {
  const deadline = ports.clock.now() + seconds * 1000;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== null || ports.clock.now() >= deadline) return answer;
    await ports.clock.sleep(pauseMilliseconds, signal);
  }
}

/** The identification string of the SSH server (RFC 4253, section 4.2) behind a port of 127.0.0.1; null: none came. */
export function readSshBanner(
  port: number,
  seconds: number,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<string | null> {
  return keepTrying(() => bannerOnce(port), seconds, ports, signal);
}

function bannerOnce(port: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const socket = createConnection({ host: "127.0.0.1", port });
  let received = "";
  socket.setTimeout(connectionMilliseconds, () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
    // The server may send other lines before (RFC 4253, section 4.2).
    const banner = /^(SSH-2\.0-[^\r\n]*)\r?\n/m.exec(received)?.[1];
    if (banner !== undefined) resolve(banner);
    if (banner !== undefined || received.length > 8192) socket.destroy();
  });
  socket.on("error", () => {});
  socket.on("close", () => resolve(null));
  return promise;
}

/** Logs in by public key, without a look at the user's ssh configuration or known hosts. */
export async function tryLogin(
  attempt: LoginAttempt,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<LoginResult> {
  if (attempt.user === null) return { state: "not tried", detail: "no user is named" };
  if (attempt.identities.length === 0)
    return { state: "not tried", detail: "no private key of an authorized key was found" };
  const ssh = Bun.which("ssh", { PATH: toolPath(ports.environment) });
  if (ssh === null) return { state: "not tried", detail: "this host has no ssh" };
  const result = await ports.runner.run(
    [ssh, ...loginArguments(attempt.user, attempt)],
    { env: { ...ports.environment, LC_ALL: "C" } },
    signal,
  );
  if (result.exitCode === 0) return { state: "accepted", detail: "" };
  const why = result.stderr.trim().split(/\r?\n/).at(-1) ?? "";
  return { state: "refused", detail: why || `ssh ended with exit code ${result.exitCode}` };
}

/** ssh's arguments for a login as `user` that runs `command`. */
function loginArguments(
  user: string,
  attempt: LoginAttempt,
  command: readonly string[] = ["true"],
): readonly string[] {
  return [
    ...["-F", "none", "-p", String(attempt.port)],
    ...attempt.identities.flatMap((identity) => ["-i", identity]),
    ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "PreferredAuthentications=publickey"],
    ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
    ...["-o", "ConnectTimeout=60", "-o", "ConnectionAttempts=2"],
    ...[`${user}@127.0.0.1`, "--", ...command],
  ];
}

/** Asks node_exporter behind a port of 127.0.0.1 for its page. */
export async function askNodeExporter(
  port: number,
  seconds: number,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<NodeExporterResult> {
  const samples = await keepTrying(() => countSamples(port, signal), seconds, ports, signal);
  return samples === null ? { state: "silent", samples: 0 } : { state: "answers", samples };
}

async function countSamples(port: number, signal: AbortSignal): Promise<number | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(connectionMilliseconds)]),
    });
    if (!response.ok) return null;
    const samples = (await response.text()).split("\n").filter((line) => line.startsWith("node_")).length;
    return samples > 0 ? samples : null;
  } catch {
    return null;
  }
}
