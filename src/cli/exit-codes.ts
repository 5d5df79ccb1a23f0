import type { FailureKind } from "../core/errors.ts";

export interface ExitCode {
  readonly code: number;
  /** What went wrong and whose turn it is, for people. */
  readonly meaning: string;
}

/** The exit code of each kind of failure: numbers of sysexits.h, and the shell's own for Ctrl-C. 0 is success. */
export const exitCodes: Readonly<Record<FailureKind, ExitCode>> = {
  unhealthy: { code: 1, meaning: "a node, or a fan, is not well" },
  usage: { code: 64, meaning: "the command line is wrong" },
  "bad-data": { code: 65, meaning: "a file was read and its content is wrong or not authentic" },
  "no-input": { code: 66, meaning: "a file is missing or cannot be read" },
  unavailable: { code: 69, meaning: "a program, a server or a device that is needed is not there" },
  software: { code: 70, meaning: "a fault of berry itself" },
  os: { code: 71, meaning: "the operating system refused: a process, a namespace, a mount" },
  "cannot-create": { code: 73, meaning: "an output cannot be made, or there is no space for it" },
  io: { code: 74, meaning: "reading or writing failed half-way" },
  temporary: { code: 75, meaning: "busy or out of reach just now: the same command may work later" },
  "not-verified": { code: 76, meaning: "a card gave back something else than was written to it" },
  "no-permission": { code: 77, meaning: "not allowed to this user" },
  config: { code: 78, meaning: "berry.toml, fand.toml or a target file is wrong" },
  interrupted: { code: 130, meaning: "stopped by Ctrl-C, SIGTERM, SIGHUP, or a no where berry asked" },
};
