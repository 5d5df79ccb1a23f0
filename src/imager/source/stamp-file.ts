import { fstatSync } from "node:fs";

/** What of a file changes when someone writes to it. */
export interface FileStamp {
  readonly sizeBytes: number;
  readonly modifiedNanoseconds: string;
  /** Changes as well when the other time is set back, as `cp -p` and `rsync -t` do. */
  readonly changedNanoseconds: string;
  /** Names of the file: giving it one and taking one away change the time above, and no byte. */
  readonly links: number;
}

export function stampOf(fileDescriptor: number): FileStamp {
  const { size, mtimeNs, ctimeNs, nlink } = fstatSync(fileDescriptor, { bigint: true });
  return {
    sizeBytes: Number(size),
    modifiedNanoseconds: String(mtimeNs),
    changedNanoseconds: String(ctimeNs),
    links: Number(nlink),
  };
}

/** Whether somebody has written to the file since. */
export function isChanged(fileDescriptor: number, before: FileStamp): boolean {
  const now = stampOf(fileDescriptor);
  return (
    now.sizeBytes !== before.sizeBytes ||
    now.modifiedNanoseconds !== before.modifiedNanoseconds ||
    (now.changedNanoseconds !== before.changedNanoseconds && now.links === before.links)
  );
}
