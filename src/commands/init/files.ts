import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import { isTargetPath } from "../../config/names.ts";
import { renderCluster } from "../../config/render-cluster.ts";
import type { NewFile } from "../../config/write-new-files.ts";
import { type Decision, secretPaths } from "./decide.ts";

/** berry.toml itself: the last file to be written, so that what it names is there. */
const clusterFile = (text: string): NewFile => ({
  path: "berry.toml",
  text,
  mode: 0o644,
  hint: "edit it, or start another cluster in another folder: berry init --dir FOLDER",
});

/** All that a decision comes to. */
export function filesOf({ answers, password, passphrase }: Decision): readonly NewFile[] {
  const secret = (path: string, text: string | null, flag: string): NewFile[] =>
    text === null
      ? []
      : [
          {
            path,
            text: `${text}\n`,
            mode: 0o600,
            hint: `move it away, or use it: berry init --${flag} ${path}`,
          },
        ];
  return [
    ...secret(secretPaths.password, password, "password-file"),
    ...secret(secretPaths.passphrase, passphrase, "psk-file"),
    clusterFile(renderCluster(answers)),
  ];
}

/** A path as berry.toml in `folder` is to name it: relative inside, below `~` where it is the user's, else absolute. */
export function referenceTo(path: string, folder: string): string {
  const home = homedir();
  const whole = path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : resolve(path);
  const inside = relative(folder, whole);
  if (!inside.startsWith("..")) return inside;
  const below = relative(home, whole);
  return below.startsWith("..") ? whole : `~/${below}`;
}

/** A target as berry.toml in `folder` is to name it: a path stays one that nobody takes for a name. */
export function targetReference(target: string, folder: string): string {
  if (!isTargetPath(target)) return target;
  const path = referenceTo(target, folder);
  return isTargetPath(path) ? path : `./${path}`;
}
