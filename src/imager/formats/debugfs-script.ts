import { posix } from "node:path";

interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedSeconds: number;
}

/** One entry of a tree that differs from what an image holds. `path` is absolute in the image. */
export type TreeChange =
  | ({
      readonly kind: "file";
      readonly path: string;
      readonly exists: boolean;
      readonly source: string;
    } & Ownership)
  | ({ readonly kind: "directory"; readonly path: string; readonly exists: boolean } & Ownership)
  | ({
      readonly kind: "symlink";
      readonly path: string;
      readonly exists: boolean;
      readonly target: string;
    } & Ownership)
  | { readonly kind: "removed"; readonly path: string };

const typeBits = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

/** Commands for debugfs(8) that make an ext4 image match the changes, in their order. */
export function debugfsScript(changes: readonly TreeChange[]): string {
  return changes.flatMap((change) => [...replace(change), ...ownership(change), ""]).join("\n");
}

function replace(change: TreeChange): string[] {
  const path = quoted(change.path);
  switch (change.kind) {
    case "removed":
      return [`rm ${path}`];
    case "directory":
      return change.exists ? [] : [`mkdir ${path}`];
    case "symlink":
      return [
        ...(change.exists ? [`rm ${path}`] : []),
        ...inParent(change.path, (name) => `symlink ${name} ${quoted(change.target)}`),
      ];
    case "file":
      return [
        ...(change.exists ? [`rm ${path}`] : []),
        ...inParent(change.path, (name) => `write ${quoted(change.source)} ${name}`),
      ];
  }
}

/** `write` and `symlink` make their entry in the working directory. */
function inParent(path: string, command: (name: string) => string): string[] {
  return [`cd ${quoted(posix.dirname(path))}`, command(quoted(posix.basename(path)))];
}

function ownership(change: TreeChange): string[] {
  if (change.kind === "removed") return [];
  const path = quoted(change.path);
  const mode = (typeBits[change.kind] | change.mode).toString(8);
  return [
    `set_inode_field ${path} mode 0${mode}`,
    `set_inode_field ${path} uid ${change.uid}`,
    `set_inode_field ${path} gid ${change.gid}`,
    `set_inode_field ${path} mtime @${change.modifiedSeconds}`,
  ];
}

/** debugfs reads words as its shell library does: double quotes, doubled inside. */
function quoted(word: string): string {
  return `"${word.replaceAll('"', '""')}"`;
}
