import type { Identity } from "./identity.ts";

export interface Announcement extends Identity {
  readonly role: string | null;
  /** Of berry. */
  readonly version: string;
}

/** The port on which node_exporter listens. */
const nodeExporterPort = 9100;

/** The line by which berry knows its own files: without it, a file is somebody else's. */
export const ownMark = "<!-- Written by berry probe announce: without this line, it is yours. -->";

/** The name alone: with more around it, a long host name would not fit into the 63 bytes of a label (RFC 6763, 4.1.1). */
const instanceName = "%h";

/** A service file for avahi, as avahi.service(5) has it. */
export function renderService(announcement: Announcement): string {
  const { serial, model, role, version } = announcement;
  const records = Object.entries({ serial, model, role, version })
    .map(([key, value]) => txtString(key, value))
    .filter((record) => record !== null)
    .map((record) => `    <txt-record>${escapeXml(record)}</txt-record>\n`);
  return `<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
${ownMark}
<service-group>
  <name replace-wildcards="yes">${instanceName}</name>
  <service>
    <type>_berry._tcp</type>
    <port>${nodeExporterPort}</port>
${records.join("")}  </service>
</service-group>
`;
}

/** `key=value` in at most 255 bytes (RFC 6763, 6.1): what is longer is cut between two characters. */
function txtString(key: string, value: string | null): string | null {
  if (value === null) return null;
  const encoder = new TextEncoder();
  // XML 1.0 has no way to write control characters and non-characters
  const clean = value.toWellFormed().replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, "");
  let record = `${key}=`;
  let left = 255 - encoder.encode(record).length;
  for (const character of clean) {
    left -= encoder.encode(character).length;
    if (left < 0) break;
    record += character;
  }
  return record;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
