import { ownVersion } from "../../cli/version.ts";
import { defineVerb } from "../../cli/verb.ts";
import { checkRole } from "../../config/names.ts";
import { BerryError, messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { printable } from "../../core/printable.ts";
import { announce as announceTo, avahiFolder } from "../../probe/announce/announcement-file.ts";
import { readIdentity } from "../../probe/announce/identity-file.ts";
import { type Announcement, renderService } from "../../probe/announce/render-service.ts";
import { nodeFile, readRole } from "../../probe/announce/role-file.ts";

/** `berry probe announce`: has avahi tell the network that this machine is a node, and which. */
export const announce = defineVerb({
  description: "let avahi announce this machine as a node: its serial, model, role and berry's version",
  examples: ["berry probe announce", "berry probe announce --role server", "berry probe announce --print"],
  args: {
    role: { type: "string", valueHint: "NAME", description: `what the node is: as ${nodeFile} says` },
    print: { type: "boolean", description: "print avahi's service file, and write nothing" },
  },
  run({ args, json, stdout, log }) {
    const role = args.role === undefined ? roleOf(nodeFile, log) : judgedRole(args.role);
    const announcement = { ...readIdentity("/"), role, version: ownVersion(process.arch).version };
    const service = renderService(announcement);
    if (args.print) {
      stdout.write(json ? `${JSON.stringify({ ...announcement, service })}\n` : service);
      return;
    }
    const { path, isWritten, removed, rivals } = announceTo(avahiFolder, service);
    for (const each of removed) log.info(`removed ${printable(each)}`);
    for (const each of rivals)
      log.warn(`${printable(each)} announces this machine, too: it is listed twice`, `rm ${printable(each)}`);
    stdout.write(
      json
        ? `${JSON.stringify({ ...announcement, path, written: isWritten, removed })}\n`
        : `${isWritten ? "wrote" : "unchanged:"} ${path}: ${tell(announcement)}\n`,
    );
  },
});

/** A node that is announced without a role is better than one that nobody finds. */
function roleOf(file: string, log: Log): string | null {
  try {
    return readRole(file);
  } catch (thrown) {
    log.warn(printable(messageOf(thrown)), thrown instanceof BerryError ? thrown.hint : undefined);
    return null;
  }
}

function judgedRole(role: string): string {
  const flaw = checkRole(role);
  if (flaw === null) return role;
  throw new BerryError("usage", `--role: ${flaw.problem}, got ${JSON.stringify(role)}`, {
    hint: flaw.remedy,
  });
}

function tell({ serial, model, role, version }: Announcement): string {
  return [model ?? "no model", serial === null ? "no serial" : `serial ${serial}`, role ?? "no role", version]
    .map(printable)
    .join(", ");
}
