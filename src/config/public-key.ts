import type { Flaw } from "./problem.ts";

const keyTypes = [
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];

const hidden = { found: null };

export const privateKeyFlaw: Flaw = {
  problem: "this is a private key, which must never leave your machine",
  remedy: "name the public key: the file beside it that ends in .pub",
  ...hidden,
};

export function isPrivateKey(text: string): boolean {
  return /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|^PuTTY-User-Key-File/m.test(text);
}

/** Whether an entry of authorized_keys is a key itself rather than the path of a file that holds one. */
export function isKeyLine(entry: string): boolean {
  return (
    isPrivateKey(entry) ||
    /(^|[\s,"])(ssh-(ed25519|rsa|dss)|ecdsa-sha2-\S+|sk-\S+@openssh\.com)\s/.test(entry)
  );
}

/** The lines of an authorized_keys or .pub file that hold keys: no comments, no empty ones. */
export function keyLinesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * Judges one line of authorized_keys (sshd(8)): optional options, the type, the key in base64, a comment.
 * The key itself must be of the type that the line names (RFC 4253, section 6.6) and whole.
 */
export function checkPublicKey(line: string): Flaw | null {
  const remedy = "copy the whole line of the .pub file, from its type to its comment";
  if (isPrivateKey(line)) return privateKeyFlaw;
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(line))
    return { problem: "a public key must be one line", remedy, ...hidden };
  const [type, base64] = wordsAfterOptions(line);
  if (type === "ssh-dss")
    return {
      problem: "DSA keys are refused by sshd",
      remedy: "make another one: ssh-keygen -t ed25519",
      ...hidden,
    };
  if (type === undefined || !keyTypes.includes(type)) return { problem: "not a public key", remedy };
  const blob = decodeBase64(base64 ?? "");
  const fields = blob === null ? null : splitFields(blob);
  if (fields === null || fields.length < 2) {
    return { problem: `the ${type} key is damaged or cut short`, remedy, ...hidden };
  }
  const embedded = new TextDecoder().decode(fields[0]);
  if (embedded !== type)
    return { problem: `the line says ${type}, the key in it is of another type`, remedy, ...hidden };
  if (type === "ssh-ed25519" && (fields.length !== 2 || fields[1]?.length !== 32)) {
    return { problem: `the ${type} key is damaged or cut short`, remedy, ...hidden };
  }
  return null;
}

/** The type and the base64 text, wherever they begin: options may hold quoted spaces. */
function wordsAfterOptions(line: string): string[] {
  const words = line.trim().split(/\s+/);
  if (words[0] !== undefined && (keyTypes.includes(words[0]) || words[0] === "ssh-dss"))
    return words.slice(0, 2);
  const options = /^(?:[^\s"]|"(?:[^"\\]|\\.)*")+\s+/.exec(line.trim());
  return options === null ? words.slice(0, 2) : line.trim().slice(options[0].length).split(/\s+/).slice(0, 2);
}

function decodeBase64(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The strings of an SSH wire blob (RFC 4251, section 5); null when the last one is cut short. */
function splitFields(blob: Uint8Array): Uint8Array[] | null {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const fields: Uint8Array[] = [];
  let offset = 0;
  while (offset < blob.length) {
    if (offset + 4 > blob.length) return null;
    const end = offset + 4 + view.getUint32(offset);
    if (end > blob.length) return null;
    fields.push(blob.subarray(offset + 4, end));
    offset = end;
  }
  return fields;
}
