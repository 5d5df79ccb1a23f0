import { dlopen, ptr } from "bun:ffi";
import { BerryError } from "../../../core/errors.ts";
import { commandRunner } from "../../../system/command-runner.ts";

/** Who called sudo. */
export interface InvokingUser {
  readonly name: string;
  readonly userId: number;
  readonly groupId: number;
  readonly home: string;
}

/** null: this is no sudo, or root's own. @throws BerryError `os` when the system does not know the user */
export async function invokingUser(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<InvokingUser | null> {
  const id = environment["SUDO_UID"] ?? "";
  if (process.geteuid?.() !== 0 || !/^[1-9]\d*$/.test(id)) return null;
  const env = { PATH: environment["PATH"] ?? "/usr/bin:/bin" };
  const { stdout } = await commandRunner.run(["getent", "passwd", id], { env }, signal);
  const [name = "", , userId, groupId, , home = ""] = stdout.trim().split(":");
  if (name === "" || userId !== id || !/^\d+$/.test(groupId ?? "")) {
    throw new BerryError("os", `sudo was called by user ${id}, whom the system does not know`, {
      hint: `ask it: getent passwd ${id}`,
    });
  }
  return { name, userId: Number(userId), groupId: Number(groupId), home };
}

/**
 * Does something with the rights of the one who called sudo: what that user may not read is not read, and `~` is
 * that user's home. Programs that are started meanwhile are that user's for good.
 * The saved user id alone stays root's (setresuid(2)), to come back by. Not for two things at once.
 */
export async function withRightsOf<T>(user: InvokingUser | null, act: () => Promise<T>): Promise<T> {
  if (user === null) return await act();
  const system = dlopen("libc.so.6", {
    setresuid: { args: ["u32", "u32", "u32"], returns: "i32" },
    setresgid: { args: ["u32", "u32", "u32"], returns: "i32" },
    initgroups: { args: ["ptr", "u32"], returns: "i32" },
  });
  const become = (userId: number, groupId: number): void => {
    const { setresuid, setresgid } = system.symbols;
    const groupFirst = [() => setresgid(groupId, groupId, 0), () => setresuid(userId, userId, 0)];
    for (const step of userId === 0 ? groupFirst.toReversed() : groupFirst) {
      if (step() !== 0) throw new BerryError("os", `cannot take the rights of user ${userId}`);
    }
  };
  const groups = process.getgroups?.() ?? [];
  const home = process.env["HOME"];
  try {
    const name = new TextEncoder().encode(`${user.name}\0`);
    if (system.symbols.initgroups(ptr(name), user.groupId) !== 0)
      throw new BerryError("os", `cannot take the groups of user ${user.name}`);
    become(user.userId, user.groupId);
    process.env["HOME"] = user.home;
    return await act();
  } finally {
    become(0, 0);
    process.setgroups?.(groups);
    if (home === undefined) delete process.env["HOME"];
    else process.env["HOME"] = home;
    system.close();
  }
}
