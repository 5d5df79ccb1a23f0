import type { Check, Flaw } from "./problem.ts";

/** What may be said of a secret: how long it is. */
function countOf(secret: string): string {
  return secret.length === 1 ? "1 character" : `${secret.length} characters`;
}

/** The shapes of crypt(5) that today's libcrypt takes and that are still strong. */
const cryptShapes = [
  /^\$(y|gy)\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}$/,
  /^\$7\$[./A-Za-z0-9]{11,97}\$[./A-Za-z0-9]{43}$/,
  /^\$2[abxy]\$[0-3][0-9]\$[./A-Za-z0-9]{53}$/,
  /^\$6\$(rounds=[1-9][0-9]{2,8}\$)?[^$:\s]{1,16}\$[./A-Za-z0-9]{86}$/,
  /^\$5\$(rounds=[1-9][0-9]{2,8}\$)?[^$:\s]{1,16}\$[./A-Za-z0-9]{43}$/,
];

export const checkCryptHash: Check = (hash) => {
  if (cryptShapes.some((shape) => shape.test(hash))) return null;
  if (hash.startsWith("$1$") || /^[./A-Za-z0-9]{13}$/.test(hash)) {
    return {
      problem: "a hash too weak to keep a password",
      found: countOf(hash),
      remedy: "make another one: mkpasswd --method=yescrypt",
    };
  }
  return {
    problem: "not a crypt hash",
    found: countOf(hash),
    remedy:
      "make one with mkpasswd --method=yescrypt, or put the password into a file and name it with password_file",
  };
};

/** The first line of a file that holds a secret; later lines do not count. */
export function firstLineOf(text: string): string {
  const end = text.indexOf("\n");
  return end === -1 ? text : text.slice(0, end);
}

function checkSecretLine(text: string, what: string): Flaw | null {
  const line = firstLineOf(text);
  if (text === "")
    return {
      problem: `the ${what} file is empty`,
      found: null,
      remedy: `write the ${what} into its first line`,
    };
  if (line.endsWith("\r")) {
    return {
      problem: `the ${what} file has Windows line ends`,
      found: null,
      remedy: "save it with Unix line ends (dos2unix)",
    };
  }
  if (line === "")
    return {
      problem: `the first line of the ${what} file is empty`,
      found: null,
      remedy: `write the ${what} into its first line`,
    };
  return null;
}

/** Judges the content of a password file: one line that crypt(3) takes. Says nothing of the password but its length. */
export const checkPasswordFile: Check = (text) => {
  const flaw = checkSecretLine(text, "password");
  if (flaw !== null) return flaw;
  if (text.replace(/\n$/, "").includes("\n")) {
    return {
      problem: "the password file has more than one line",
      found: null,
      remedy: "leave the password alone in it",
    };
  }
  const password = firstLineOf(text);
  if (/[\0-\x1f\x7f]/.test(password)) {
    return {
      problem: "the password holds a control character",
      found: null,
      remedy: "save it as plain text",
    };
  }
  if (new TextEncoder().encode(password).length > 511) {
    return {
      problem: "the password is too long",
      found: countOf(password),
      remedy: "use at most 511 bytes, which is all that crypt takes",
    };
  }
  return null;
};

const isRawPsk = (line: string): boolean => /^[0-9a-fA-F]{64}$/.test(line);

/** Judges the content of a Wi-Fi file (IEEE 802.11, annex J.4). Says nothing of the passphrase but its length. */
export function checkPskFile(text: string, security: "wpa2" | "wpa3"): Flaw | null {
  const flaw = checkSecretLine(text, "passphrase");
  if (flaw !== null) return flaw;
  const line = firstLineOf(text);
  if (isRawPsk(line)) {
    if (security === "wpa2") return null;
    return {
      problem: "wpa3 needs the passphrase itself, the file holds a derived PSK",
      found: "64 hexadecimal digits",
      remedy: 'write the passphrase into it, or use security = "wpa2"',
    };
  }
  if (/[^\x20-\x7e]/.test(line)) {
    return {
      problem: "the passphrase holds something else than printable ASCII",
      found: null,
      remedy: "WPA passphrases are printable ASCII; check the file",
    };
  }
  if (line.length < 8 || line.length > 63) {
    return {
      problem: "the passphrase has the wrong length",
      found: countOf(line),
      remedy: "use 8 to 63 characters, or a PSK of 64 hexadecimal digits",
    };
  }
  return null;
}

/** The name of a wireless network: 1 to 32 bytes of UTF-8. */
export const checkSsid: Check = (ssid) => {
  if (/[\0-\x1f\x7f]/.test(ssid))
    return { problem: "a control character in the name of the network", remedy: "copy the name by hand" };
  const length = new TextEncoder().encode(ssid).length;
  if (length === 0)
    return { problem: "no name of a network", remedy: "give the name as the router announces it" };
  if (length > 32)
    return {
      problem: "too long for the name of a network",
      found: `${length} bytes`,
      remedy: "use at most 32 bytes of UTF-8",
    };
  return null;
};
