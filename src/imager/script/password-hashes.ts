import type { NodePlan, Plan } from "../bake-plan.ts";

/** A crypt(5) hash of berry.toml, and the environment variable that brings it to the script. */
export interface PasswordHash {
  readonly hash: string;
  readonly variable: string;
  readonly users: readonly string[];
}

/** Every hash once: BERRY_PASSWORD_HASH, or BERRY_PASSWORD_HASH_1 and so on where there are several. */
export function passwordHashes(nodes: readonly NodePlan[]): PasswordHash[] {
  const users = new Map<string, Set<string>>();
  for (const { node, steps } of nodes) {
    for (const step of steps) {
      if (step.do !== "chroot" || typeof step.stdin !== "object" || !("passwordHash" in step.stdin)) continue;
      const { user, passwordHash } = step.stdin;
      users.set(passwordHash, (users.get(passwordHash) ?? new Set()).add(`${user} on ${node}`));
    }
  }
  return [...users].map(([hash, names], index) => ({
    hash,
    variable: users.size === 1 ? "BERRY_PASSWORD_HASH" : `BERRY_PASSWORD_HASH_${index + 1}`,
    users: [...names],
  }));
}

/** The plan as JSON for other eyes: secrets are paths of files, and a password's hash is not shown. */
export function planJson(plan: Plan): string {
  return JSON.stringify(plan, (key, value: unknown) => (key === "passwordHash" ? "(not shown)" : value), 2);
}
