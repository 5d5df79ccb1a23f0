import type { UdevRecord } from "./block-device.ts";

/** A file of /run/udev/data: `E:` a property, `S:` a link below /dev (systemd's src/libsystemd/sd-device). */
export function parseUdevRecord(text: string): UdevRecord {
  const properties: Record<string, string> = {};
  const links: string[] = [];
  for (const line of text.split("\n")) {
    const value = line.slice(2);
    if (line.startsWith("S:")) links.push(value);
    if (!line.startsWith("E:")) continue;
    const equals = value.indexOf("=");
    if (equals > 0) properties[value.slice(0, equals)] = value.slice(equals + 1);
  }
  return { properties, links };
}

/** Decodes what udev encodes as `\x20`, a byte of UTF-8 each. */
export function decodeUdev(text: string): string {
  return text.replaceAll(/(?:\\x[0-9a-f]{2})+/gi, (escapes) =>
    new TextDecoder().decode(
      Uint8Array.from(escapes.matchAll(/[0-9a-f]{2}/gi), ([byte]) => Number(`0x${byte}`)),
    ),
  );
}
