import { BerryError, messageOf } from "../../core/errors.ts";
import { readLines } from "../../core/lines.ts";
import type { Clock } from "../../core/ports.ts";
import type { CardMessage, CardOrder, CardTask } from "./card-task.ts";
import type { WriteEvent, WritePhase } from "./write-event.ts";

export interface CardProcessRequest {
  /** What starts berry's own process for one card. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly task: CardTask;
  /** Of the image. */
  readonly fileDescriptor: number;
  /** A card that does not answer for so long is given up. */
  readonly giveUpSeconds: number;
}

export interface CardProcess {
  readonly device: string;
  /** So much of the image can be read now. */
  tellAvailable(bytes: number): void;
  /** Lets the card stop after the write in flight; it fails with this. */
  stop(reason: BerryError): void;
  /** How the card ended: the last event of it. Never rejects. */
  readonly ended: Promise<CardEnd>;
}

export type CardEnd = Extract<WriteEvent, { event: "verified" | "failed" }>;

/** What a process may take to stop; a write in flight to a slow card takes seconds. */
const graceSeconds = 20;
/** A card that does not answer for so long is told of, and again every time. */
const stallSeconds = 10;

/**
 * Starts the process of one card and passes on what it tells, until it ends or is given up.
 * A process that hangs in the kernel cannot even be killed: it is left behind then, and nobody waits for it.
 */
export function startCardProcess(
  request: CardProcessRequest,
  ports: { emit(event: WriteEvent): void; readonly clock: Clock },
): CardProcess {
  const { task } = request;
  const { device } = task;
  const child = spawnCard(request);
  if (child instanceof BerryError) {
    const ended = Promise.resolve(failedEvent(device, child, null));
    return { device, tellAvailable: () => undefined, stop: () => undefined, ended };
  }
  const over = new AbortController();
  const watch = stallWatch(ports.clock.now());
  let phase: WritePhase = task.resume ? "comparing" : "writing";
  let stopped: { readonly reason: BerryError; readonly at: number } | null = null;
  let end: CardEnd | null = null;

  const give = (line: CardTask | CardOrder): void => {
    try {
      for (const sent of [child.stdin.write(`${JSON.stringify(line)}\n`), child.stdin.flush()])
        Promise.resolve(sent).catch(() => undefined);
    } catch {
      // it has ended already
    }
  };
  const hear = (message: CardMessage): void => {
    watch.answered(ports.clock.now());
    switch (message.event) {
      case "waiting":
        return watch.waitsFor(message.bytes);
      case "verified":
        end = message;
        return;
      case "failed":
        end = stopped === null ? message : failedEvent(device, stopped.reason, message);
        return;
      case "progress":
        phase = message.phase;
        return ports.emit(message);
      case "card":
      case "stalled":
      case "warned":
      case "finished":
        return ports.emit(message);
    }
  };
  const output = child.stdout.getReader();
  const complaints = child.stderr.getReader();
  const listen = async (): Promise<CardEnd> => {
    const errors = textOf(complaints);
    // Checked boundary: berry's own process wrote it.
    for await (const line of readLines(chunksOf(output))) hear(JSON.parse(line) as CardMessage);
    const exitCode = await child.exited;
    return (
      end ??
      deathOf(
        device,
        child.signalCode === null ? `exit code ${exitCode}` : String(child.signalCode),
        await errors,
        stopped?.reason,
      )
    );
  };
  const patience = async (): Promise<CardEnd> => {
    for (;;) {
      await ports.clock.sleep(1000, over.signal);
      const now = ports.clock.now();
      if (stopped !== null) {
        if (now - stopped.at < graceSeconds * 1000) continue;
        child.kill("SIGKILL");
        return failedEvent(device, stopped.reason, null);
      }
      const seconds = watch.silence(now);
      if (seconds === null) continue;
      ports.emit({ event: "stalled", device, phase, seconds });
      if (seconds < request.giveUpSeconds) continue;
      child.kill("SIGKILL");
      return failedEvent(device, givenUp(device, phase, seconds), null);
    }
  };
  const run = async (): Promise<CardEnd> => {
    try {
      return await Promise.race([listen(), patience()]);
    } catch (thrown) {
      return failedEvent(device, new BerryError("software", messageOf(thrown)), null);
    } finally {
      over.abort();
      // what hangs in the kernel must not keep berry from ending
      if (child.exitCode === null) child.kill("SIGKILL");
      child.unref();
      for (const reader of [output, complaints]) reader.cancel().catch(() => undefined);
      Promise.resolve(child.stdin.end()).catch(() => undefined);
    }
  };
  give(task);
  return {
    device,
    tellAvailable(bytes) {
      watch.arrived(bytes, ports.clock.now());
      give({ order: "available", bytes });
    },
    stop(reason) {
      if (stopped !== null) return;
      stopped = { reason, at: ports.clock.now() };
      give({ order: "abort" });
    },
    ended: run(),
  };
}

function spawnCard({ argv, environment, fileDescriptor }: CardProcessRequest) {
  try {
    return Bun.spawn([...argv], {
      stdio: ["pipe", "pipe", "pipe", fileDescriptor],
      env: { ...environment },
      // a session of its own: Ctrl-C reaches berry alone, which then stops the cards
      detached: true,
    });
  } catch (cause) {
    return new BerryError("os", "cannot start another berry for a card; nothing was written to it", {
      cause,
    });
  }
}

interface Chunks {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

async function* chunksOf(reader: Chunks): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return;
    yield value;
  }
}

async function textOf(reader: Chunks): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunksOf(reader)) text += decoder.decode(chunk, { stream: true });
  return text;
}

/** How long a card has not answered; waiting for the image is no silence of the card. */
export function stallWatch(startedAt: number) {
  let lastAt = startedAt;
  let toldSeconds = 0;
  let waitingFor: number | null = null;
  let arrivedBytes = 0;
  return {
    answered(now: number): void {
      lastAt = now;
      toldSeconds = 0;
      waitingFor = null;
    },
    waitsFor(bytes: number): void {
      // it may have been sent what it asks for before it asked
      if (bytes > arrivedBytes) waitingFor = bytes;
    },
    arrived(bytes: number, now: number): void {
      arrivedBytes = bytes;
      if (waitingFor === null || bytes < waitingFor) return;
      waitingFor = null;
      lastAt = now;
    },
    /** Whole tens of seconds, each told once; null: nothing new is to be told. */
    silence(now: number): number | null {
      if (waitingFor !== null) return null;
      const seconds = Math.floor((now - lastAt) / 1000 / stallSeconds) * stallSeconds;
      if (seconds <= toldSeconds) return null;
      toldSeconds = seconds;
      return seconds;
    },
  };
}

function givenUp(device: string, phase: WritePhase, seconds: number): BerryError {
  return new BerryError("io", `${device} has not answered for ${seconds} s while ${phase}: given up`, {
    hint: "pull the card out and put it in again; try another reader or port with --resume, then another card",
  });
}

function failedEvent(
  device: string,
  reason: BerryError,
  told: Extract<WriteEvent, { event: "failed" }> | null,
): CardEnd {
  // a card that failed by itself before it heard the order tells more than the order
  if (told !== null && told.kind !== "interrupted") return told;
  const { kind, hint = null } = reason;
  return { event: "failed", device, kind, message: messageOf(reason), hint, mismatch: null };
}

function deathOf(device: string, how: string, stderr: string, reason: BerryError | undefined): CardEnd {
  const said = stderr.trim().split("\n").at(-1) ?? "";
  const failure = new BerryError(
    "os",
    `the process that wrote ${device} ended by ${how}${said === "" ? "" : `: ${said}`}`,
    { hint: "the card is not finished: run the same with --resume" },
  );
  return failedEvent(device, reason ?? failure, null);
}
