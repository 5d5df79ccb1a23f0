import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/** A package of which the program has a file. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** Of its archive, in hexadecimal; null: bun.lock does not know it. */
  readonly sha512: string | null;
  /** As its package.json writes it: an SPDX expression, mostly. */
  readonly licence: string;
  /** The text that has to go with every copy. */
  readonly licenceText: string;
  /** Where its source is. */
  readonly source: string;
}

const house = resolve(import.meta.dir, "..");

/** What the bundle of src/main.ts has, by name. @throws Error where a package is not in bun.lock, or has no licence's text */
export async function bundledPackages(): Promise<readonly BundledPackage[]> {
  const lock = await readLock();
  const { metafile } = await Bun.build({
    entrypoints: [join(house, "src/main.ts")],
    target: "bun",
    splitting: true,
    metafile: true,
    define: { BERRY_COMMIT: '""' },
  });
  const chains = new Map(
    Object.keys(metafile?.inputs ?? {})
      .map(chainOf)
      .filter((chain) => chain.length > 0)
      .map((chain) => [chain.join("/"), chain]),
  );
  if (chains.size === 0) throw new Error("the bundle has no package at all");
  return await Promise.all(
    [...chains]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(async ([path, chain]) => {
        const locked = lock.get(path);
        if (locked === undefined) throw new Error(`bun.lock does not know ${path}`);
        return { name: chain.at(-1) ?? path, ...locked, ...(await described(chain)) };
      }),
  );
}

/** The packages that a path leads through, outermost first; none: it is berry's own. */
function chainOf(path: string): readonly string[] {
  return path
    .split("node_modules/")
    .slice(1)
    .map((part) =>
      part
        .split("/")
        .slice(0, part.startsWith("@") ? 2 : 1)
        .join("/"),
    )
    .map((name) => name.replace(/\/$/, ""));
}

async function described(
  chain: readonly string[],
): Promise<Pick<BundledPackage, "licence" | "licenceText" | "source">> {
  const folder = join(house, ...chain.flatMap((name) => ["node_modules", name]));
  const { license, repository } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    license?: string;
    repository?: string | { readonly url?: string };
  };
  const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
  if (license === undefined || file === undefined) throw new Error(`${chain.join("/")} has no licence`);
  const address = typeof repository === "string" ? repository : (repository?.url ?? "");
  return {
    licence: license,
    licenceText: await readFile(join(folder, file), "utf8"),
    source: address
      .replace(/^git\+|\.git$/g, "")
      .replace(/^git:/, "https:")
      .replace(/^(?:github:)?([\w.-]+\/[\w.-]+)$/, "https://github.com/$1"),
  };
}

/** bun.lock is JSON with trailing commas: `PATH: ["NAME@VERSION", "", {…}, "sha512-…"]`. */
async function readLock(): Promise<ReadonlyMap<string, Pick<BundledPackage, "version" | "sha512">>> {
  const text = await readFile(join(house, "bun.lock"), "utf8");
  const { packages } = Bun.JSONC.parse(text) as { packages: Record<string, readonly unknown[]> };
  return new Map(
    Object.entries(packages).map(([path, [reference, , , integrity]]) => {
      const name = String(reference);
      const isDigest = typeof integrity === "string" && integrity.startsWith("sha512-");
      return [
        path,
        {
          version: name.slice(name.lastIndexOf("@") + 1),
          sha512: isDigest ? Buffer.from(integrity.slice(7), "base64").toString("hex") : null,
        },
      ];
    }),
  );
}
