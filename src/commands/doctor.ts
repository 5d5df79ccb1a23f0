import { readFile } from "node:fs/promises";
import { createStyle } from "../cli/style.ts";
import { defineVerb } from "../cli/verb.ts";
import { distributionOf } from "../imager/install-command.ts";
import { conclude, namedRoles } from "./doctor/conclude.ts";
import { prescribe } from "./doctor/finding.ts";
import { isRaspberryPi, lookAt } from "./doctor/look.ts";
import { tellReports } from "./doctor/tell.ts";

/** `berry doctor`: what this machine could do in a cluster, and what is missing for it; nothing is touched. */
export const doctor = defineVerb({
  description: "look at this machine: can it bake, write, cool and probe, what is missing, and what mends it",
  examples: ["berry doctor", "berry doctor bake", "berry doctor --json"],
  rest: {
    name: "ROLE",
    description:
      "bake, write, cool or probe; all of them by default. It ends with 69 where one that is named is missing; else where bake or probe is, on a Raspberry Pi cool or probe",
  },
  failures: "stderr",
  async run({ rest, json, stdout, signal }) {
    const roles = namedRoles(rest);
    const reports = await Promise.all(roles.map((role) => lookAt(role, signal)));
    signal.throwIfAborted();
    const prescribed = prescribe(
      reports,
      distributionOf(await osRelease(), managersOf(process.env["PATH"] ?? "")),
      process.getuid?.() === 0,
    );
    stdout.write(
      json ? `${JSON.stringify(toJson(prescribed))}\n` : tellReports(prescribed, createStyle(stdout.color)),
    );
    const failure = conclude(reports, { isNamed: rest.length > 0, isPi: isRaspberryPi() });
    if (failure !== null) throw failure;
  },
});

function managersOf(path: string): readonly string[] {
  return ["apt-get", "pacman", "dnf"].filter((name) => Bun.which(name, { PATH: path }) !== null);
}

async function osRelease(): Promise<string> {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text !== "") return text;
  }
  return "";
}

function toJson({ reports, install }: ReturnType<typeof prescribe>) {
  return {
    roles: reports.map(({ role, level, what, findings }) => ({
      role,
      level,
      what,
      findings: findings.map(({ level, what, remedy }) => ({ level, what, remedy })),
    })),
    install,
  };
}
