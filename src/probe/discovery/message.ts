import { decode, type Answer } from "dns-packet";

/** A record that discovery is about. Names are as they came: compare them by `nameKey`. */
export type ResourceRecord = RecordHead &
  (
    | { readonly type: "PTR"; readonly target: string }
    | { readonly type: "SRV"; readonly port: number; readonly target: string }
    | { readonly type: "TXT"; readonly strings: readonly string[] }
    | { readonly type: "A" | "AAAA"; readonly address: string }
  );

interface RecordHead {
  readonly name: string;
  readonly ttlSeconds: number;
  /** The cache-flush bit (RFC 6762, section 10.2): older records of this name and type are no more. */
  readonly flush: boolean;
}

/** A response, as far as discovery goes; all of its sections in one. */
export interface Message {
  readonly id: number;
  readonly records: readonly ResourceRecord[];
}

/** The most that a message may have (RFC 6762, section 17). */
const maximumBytes = 9000;
const headerBytes = 12;
/** A question is at least a root name, a type and a class; a record has a TTL and a length besides. */
const questionBytes = 5;
const recordBytes = 11;
/** What DNS-SD gives the records that live longest (section 10). */
const maximumTtlSeconds = 75 * 60;

/**
 * A response of multicast DNS (RFC 6762, section 18; RFC 1035, section 4.1). Anybody can send anything here.
 * @returns null for queries, for errors and for whatever is malformed or too large; never throws
 */
export function decodeMessage(bytes: Uint8Array): Message | null {
  if (bytes.length < headerBytes || bytes.length > maximumBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  // The library makes lists as long as the header says, before it looks further.
  if (headerBytes + view.getUint16(4) * questionBytes + records * recordBytes > bytes.length) return null;
  const flags = view.getUint16(2);
  // a response, of the opcode 0, without an error (sections 18.2, 18.3 and 18.11)
  if ((flags & 0xf80f) !== 0x8000) return null;
  try {
    const packet = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    // of what is cut off, the library makes up the end
    if (decode.bytes > bytes.length) return null;
    const answers = [...(packet.answers ?? []), ...(packet.authorities ?? []), ...(packet.additionals ?? [])];
    return { id: packet.id ?? 0, records: answers.map(recordOf).filter((record) => record !== null) };
  } catch {
    // the library throws for whatever is malformed
    return null;
  }
}

/** Whether it claims to be a response; on port 5353 everybody's questions are heard, too. */
export function isResponse(bytes: Uint8Array): boolean {
  return ((bytes[2] ?? 0) & 0x80) !== 0;
}

/** @returns null for what discovery has no use of */
function recordOf(answer: Answer): ResourceRecord | null {
  if (answer.type === "OPT") return null;
  if (answer.class !== "IN") return null;
  const head = {
    name: answer.name,
    ttlSeconds: Math.min(answer.ttl ?? 0, maximumTtlSeconds),
    flush: answer.flush ?? false,
  };
  if (answer.type === "PTR") return { ...head, type: answer.type, target: answer.data };
  if (answer.type === "SRV")
    return { ...head, type: answer.type, port: answer.data.port, target: answer.data.target };
  if (answer.type === "TXT") return { ...head, type: answer.type, strings: stringsOf(answer.data) };
  if (answer.type === "A" || answer.type === "AAAA")
    return { ...head, type: answer.type, address: answer.data };
  return null;
}

function stringsOf(data: string | Buffer | (string | Buffer)[]): string[] {
  return [data].flat().map((text) => (typeof text === "string" ? text : text.toString("utf8")));
}

/** Names are the same whatever the case of their ASCII letters (RFC 6762, section 16). */
export function nameKey(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
