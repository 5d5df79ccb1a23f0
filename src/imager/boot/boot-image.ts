import { BerryError } from "../../core/errors.ts";
import type { BootEvent, BootPorts, BootRequest, Milestone } from "./boot-request.ts";
import { isActive, judgeBoot, nodeExporterUnit, type BootReport } from "./boot-report.ts";
import { describeFailure, readConsoleLine } from "./console-sign.ts";
import { readGuestRecord, reportCollector } from "./guest-record.ts";
import { startMachine, type Machine } from "./machine.ts";
import { askNodeExporter, readSshBanner, tryLogin } from "./reachability.ts";
import { reportMark } from "./report-unit.ts";

/** The tail of the console that a failure shows. */
const shownLines = 12;
const shownFailures = 4;
const sshSeconds = 60;
const nodeExporterSeconds = 60;

/**
 * Boots a copy of an image on an emulated machine, waits for its report, looks at it from outside, and ends it.
 * A boot that does not get as far as its report is an error with the console's last lines;
 * one that does is a report, which may still say that the image is not ok.
 * @throws BerryError `no-input`, `bad-data`, `unavailable`; `temporary` when the time is over
 */
export async function bootImage(
  request: BootRequest,
  ports: BootPorts,
  signal: AbortSignal,
): Promise<BootReport> {
  const settled = new AbortController();
  const running = AbortSignal.any([signal, settled.signal]);
  const watch = watchBoot(request, ports);
  const tell = (event: BootEvent): void => {
    if (event.event === "started") watch.begin();
    ports.tell(event);
  };
  try {
    await using machine = await startMachine(
      { ...request, instrumented: true },
      { ...ports, tell },
      signal,
      watch.listen,
    );
    const document = await Promise.race([
      watch.report,
      endOf(machine),
      watch.silence(machine, running),
      ports.clock.sleep(request.timeoutSeconds * 1000, running).then((): never => {
        throw bootError(
          "temporary",
          `no report after ${request.timeoutSeconds} s`,
          "allow more with --timeout, or run nothing beside it",
          machine,
        );
      }),
    ]);
    const guest = readGuestRecord(document);
    const exporterSeconds = request.reachable && isActive(guest, nodeExporterUnit) ? nodeExporterSeconds : 0;
    const banner = !request.reachable
      ? null
      : await readSshBanner(machine.ports.ssh, sshSeconds, ports, signal);
    const login =
      banner === null
        ? ({ state: "not tried", detail: "no SSH server answered" } as const)
        : await tryLogin(
            { port: machine.ports.ssh, user: request.user, identities: request.identities },
            ports,
            signal,
          );
    const nodeExporter = await askNodeExporter(machine.ports.nodeExporter, exporterSeconds, ports, signal);
    const facts = {
      image: request.image,
      machine: request.machine,
      seconds: watch.seconds(),
      guest,
      ssh: { banner, login },
      nodeExporter,
    };
    return judgeBoot(facts, request);
  } finally {
    settled.abort(new BerryError("interrupted", "the boot is over"));
  }
}

interface BootWatch {
  /** QEMU starts: seconds count from now on. */
  readonly begin: () => void;
  readonly listen: (lines: readonly string[], unfinished: string) => void;
  /** The guest's report; rejects at the first sign that none will come. */
  readonly report: Promise<string>;
  readonly seconds: () => Readonly<Partial<Record<Milestone, number>>>;
  /** Rejects when the console has been silent for too long before the login prompt. */
  silence(machine: Machine, signal: AbortSignal): Promise<never>;
}

function watchBoot(request: BootRequest, ports: BootPorts): BootWatch {
  let started = ports.clock.now();
  let lastOutput = started;
  let warnedOfCard = false;
  const seconds: Partial<Record<Milestone, number>> = {};
  const seen: string[] = [];
  const collector = reportCollector();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  promise.catch(() => {});

  const reach = (milestone: Milestone): void => {
    if (seconds[milestone] !== undefined) return;
    const elapsed = (ports.clock.now() - started) / 1000;
    seconds[milestone] = elapsed;
    ports.tell({ event: "reached", milestone, seconds: elapsed });
  };
  const interpret = (line: string): void => {
    const sign = readConsoleLine(line);
    switch (sign?.sign) {
      case undefined:
        return;
      case "milestone":
        return reach(sign.milestone);
      case "failure": {
        const [what, hint] = describeFailure(sign.failure, request.machine);
        return reject(new BerryError("bad-data", withConsole(what, [...seen, line]), { hint }));
      }
      case "slow-card":
        if (warnedOfCard) return;
        warnedOfCard = true;
        return ports.tell({
          event: "warned",
          message: "the emulated SD card does not keep up; errors of its file system may follow",
          hint: "run nothing beside it, or boot with --machine virt",
        });
    }
  };
  return {
    begin() {
      started = ports.clock.now();
      lastOutput = started;
    },
    report: promise,
    seconds: () => seconds,
    listen(lines, unfinished) {
      lastOutput = ports.clock.now();
      for (const line of lines) {
        const document = collector.add(line);
        if (document !== null) {
          reach("report");
          resolve(document);
        }
        if (line.includes(reportMark)) continue;
        ports.tell({ event: "console", line });
        interpret(line);
        seen.push(line);
      }
      if (unfinished !== "") interpret(unfinished);
    },
    async silence(machine, signal) {
      const limit = request.stallSeconds * 1000;
      for (;;) {
        const silent = ports.clock.now() - lastOutput;
        if (seconds.login === undefined && silent >= limit) {
          const hint =
            seen.length === 0
              ? "is the target's [emulation] console the one that the kernel has? Try --machine virt"
              : "the host may be too busy: run nothing beside it, or boot with --machine virt";
          throw bootError(
            "bad-data",
            `the console has been silent for ${request.stallSeconds} s`,
            hint,
            machine,
          );
        }
        await ports.clock.sleep(Math.max(limit - silent, 1000), signal);
      }
    },
  };
}

async function endOf(machine: Machine): Promise<never> {
  const exitCode = await machine.console.exited;
  const complaint = machine.console.complaints().split("\n").at(-1) ?? "";
  const what = `QEMU ended with exit code ${exitCode} before the report${complaint === "" ? "" : `: ${complaint}`}`;
  throw bootError(
    "bad-data",
    what,
    "a system that restarts ends QEMU; the last lines of the console tell why",
    machine,
  );
}

function bootError(kind: "bad-data" | "temporary", what: string, hint: string, machine: Machine): BerryError {
  return new BerryError(kind, withConsole(what, machine.consoleLines), { hint });
}

/** The message, and the end of the console below it, after what systemd said to have failed before. */
export function withConsole(what: string, lines: readonly string[]): string {
  const told = lines.filter((line) => line.trim() !== "" && !line.includes(reportMark));
  if (told.length === 0) return `${what}; the console stayed empty`;
  const failed = told.slice(0, -shownLines).filter((line) => /^\[ *(FAILED|DEPEND|TIME) *\]/.test(line));
  const shown = [...failed.slice(-shownFailures), ...told.slice(-shownLines)];
  return [`${what}; the console's last lines:`, ...shown.map((line) => `  | ${line}`)].join("\n");
}
