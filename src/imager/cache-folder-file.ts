import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { BerryError } from "../core/errors.ts";

/** Says to whom the folder belongs: backups leave out what carries it (bford.info/cachedir). */
const cacheTag = "CACHEDIR.TAG";
const cacheTagText =
  "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of berry, which removes what lies here.\n";

/**
 * Makes the folders of the cache; berry's own user alone may look in. The tag comes first: whatever ends
 * this, the folder is known as berry's the next time.
 * @throws BerryError `cannot-create` when the folder holds something else than a cache of berry's,
 *   `no-permission` when another user made it: the owners of its files mean nothing to this one
 */
export async function prepareCache(cacheDirectory: string): Promise<void> {
  const names = await readdir(cacheDirectory).catch((): string[] => []);
  const isTagged = names.includes(cacheTag);
  if (names.length > 0 && !isTagged) throw foreignFolder(cacheDirectory);
  try {
    await mkdir(cacheDirectory, { recursive: true, mode: 0o700 });
    if (!isTagged) await writeFile(join(cacheDirectory, cacheTag), cacheTagText, { mode: 0o600 });
    for (const folder of ["layers", "work", "downloads", "empty", "scratch"]) {
      await mkdir(join(cacheDirectory, folder), { recursive: true, mode: 0o700 });
    }
  } catch (cause) {
    throw new BerryError("cannot-create", `cannot make the cache ${cacheDirectory}`, {
      hint: "choose a folder that you may write to with --cache-dir",
      cause,
    });
  }
  const layers = await stat(join(cacheDirectory, "layers"));
  if (layers.uid === userInfo().uid) return;
  throw new BerryError(
    "no-permission",
    `the cache ${cacheDirectory} was made by the user with the id ${layers.uid}`,
    {
      hint: "bake as that user, or choose another folder with --cache-dir",
    },
  );
}

function foreignFolder(cacheDirectory: string): BerryError {
  return new BerryError(
    "cannot-create",
    `${cacheDirectory} holds files that are not berry's: no ${cacheTag}`,
    {
      hint: "name an empty or a new folder with --cache-dir: berry removes what lies in its cache",
    },
  );
}
