import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/**
 * The list of what is inside berry's binary, for scanners: `bun scripts/software-list.ts VERSION`, CycloneDX 1.6 (ECMA-424) on stdout.
 * A package counts when the bundle has a file of it; bun.lock says version and digest.
 */
const house = resolve(import.meta.dir, "..");
const [version = "0"] = process.argv.slice(2);

interface Locked {
  readonly version: string;
  readonly sha512: string | null;
}

/** bun.lock is JSON with trailing commas: `NAME: ["NAME@VERSION", "", {…}, "sha512-…"]`. */
async function readLock(): Promise<ReadonlyMap<string, Locked>> {
  const text = await readFile(join(house, "bun.lock"), "utf8");
  const { packages } = Bun.JSONC.parse(text) as { packages: Record<string, readonly unknown[]> };
  return new Map(
    Object.entries(packages).map(([path, [reference, , , integrity]]) => {
      const name = String(reference);
      const sha512 =
        typeof integrity === "string" && integrity.startsWith("sha512-") ? integrity.slice(7) : null;
      return [
        path,
        {
          version: name.slice(name.lastIndexOf("@") + 1),
          sha512: sha512 === null ? null : Buffer.from(sha512, "base64").toString("hex"),
        },
      ];
    }),
  );
}

/** As the lock names them: `NAME`, or `OUTER/NAME` where it lies within another. */
async function bundledPackages(): Promise<readonly string[]> {
  const { metafile } = await Bun.build({
    entrypoints: [join(house, "src/main.ts")],
    target: "bun",
    splitting: true,
    metafile: true,
    define: { BERRY_COMMIT: '""' },
  });
  const names = Object.keys(metafile?.inputs ?? {}).flatMap((path) => {
    const parts = path.split("node_modules/").slice(1);
    const name = parts
      .map((part) =>
        part
          .split("/")
          .slice(0, part.startsWith("@") ? 2 : 1)
          .join("/"),
      )
      .join("/");
    return name === "" ? [] : [name];
  });
  return [...new Set(names)].sort();
}

const lock = await readLock();
const components = (await bundledPackages()).map((path) => {
  const locked = lock.get(path);
  if (locked === undefined) throw new Error(`bun.lock does not know ${path}`);
  const [scope, bare] = path.includes("@")
    ? path.slice(path.lastIndexOf("@")).split("/")
    : ["", path.split("/").at(-1) ?? path];
  const name = scope === "" ? (bare ?? path) : `${scope}/${bare}`;
  return {
    type: "library",
    "bom-ref": `pkg:npm/${name.replace("@", "%40")}@${locked.version}`,
    name,
    version: locked.version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${locked.version}`,
    ...(locked.sha512 === null ? {} : { hashes: [{ alg: "SHA-512", content: locked.sha512 }] }),
  };
});
if (components.length === 0) throw new Error("the bundle has no package at all");
const runtime = {
  type: "platform",
  "bom-ref": `pkg:npm/bun@${Bun.version}`,
  name: "bun",
  version: Bun.version,
  purl: `pkg:npm/bun@${Bun.version}`,
};
const epoch = Number(process.env["SOURCE_DATE_EPOCH"] ?? Number.NaN);
const list = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: {
    ...(Number.isNaN(epoch) ? {} : { timestamp: new Date(epoch * 1000).toISOString() }),
    component: {
      type: "application",
      "bom-ref": "berry",
      name: "berry",
      version,
      licenses: [{ license: { id: "MIT" } }],
    },
  },
  components: [runtime, ...components],
  dependencies: [{ ref: "berry", dependsOn: [runtime, ...components].map((each) => each["bom-ref"]) }],
};
console.log(JSON.stringify(list, null, 2));
