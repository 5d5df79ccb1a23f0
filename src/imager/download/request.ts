import type { Patience } from "./http-attempt.ts";

/** How a download proves to be the right one. */
export type Verification =
  /** 64 hexadecimal digits. */
  | { readonly kind: "sha256"; readonly hex: string }
  | {
      readonly kind: "openpgp";
      /** Detached, binary or armoured: the signature itself, or the URL that has it. */
      readonly signature: Uint8Array | string;
      /** Of the primary key, 40 hexadecimal digits. */
      readonly fingerprint: string;
      /** Armoured, or the URL that has it: what arrives must have that fingerprint. */
      readonly publicKey: { readonly armoured: string } | { readonly url: string };
    };

export interface DownloadRequest {
  /** http or https; redirects are followed. */
  readonly url: string;
  /** Absolute path of the file in the cache. Names that begin with it and a dot belong to it too:
   * `.part` and `.part.json` while it grows, `.sig` and `.asc` for the next time without a network. */
  readonly path: string;
  readonly verification: Verification;
  /** null: any size. */
  readonly maxBytes: number | null;
}

export interface DownloadOptions extends Patience {
  /** `totalBytes` is null while nobody knows it. Called for every chunk. */
  readonly onProgress: (doneBytes: number, totalBytes: number | null) => void;
  /** Something that the user may want to know, as a past-tense fact. */
  readonly onNotice: (message: string) => void;
}

export interface Downloaded {
  readonly path: string;
  readonly sizeBytes: number;
  readonly source: "cache" | "network";
  /** When the signature was made; null: verified by hash. */
  readonly signedAt: Date | null;
}
