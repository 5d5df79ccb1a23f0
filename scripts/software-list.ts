import { bundledPackages } from "./bundled-packages.ts";

/**
 * The list of what is inside berry's binary, for scanners: `bun scripts/software-list.ts VERSION`, CycloneDX 1.6 (ECMA-424) on stdout.
 * The time is SOURCE_DATE_EPOCH's.
 */
const [version = "0"] = process.argv.slice(2);

const components = (await bundledPackages()).map(({ name, version: locked, sha512, licence }) => {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${locked}`;
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version: locked,
    ...(sha512 === null ? {} : { hashes: [{ alg: "SHA-512", content: sha512 }] }),
    licenses: [{ license: { name: licence } }],
    purl,
  };
});
const runtime = {
  type: "platform",
  "bom-ref": `pkg:npm/bun@${Bun.version}`,
  name: "bun",
  version: Bun.version,
  licenses: [{ license: { name: "MIT" } }, { license: { name: "LGPL-2.0 (JavaScriptCore)" } }],
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
