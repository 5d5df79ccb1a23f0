import { packageUrl } from "./package-url.ts";
import type { Software, SoftwarePackage } from "./software.ts";

export interface SoftwareListRequest {
  readonly node: string;
  readonly software: Software;
  /** Of the berry that bakes. */
  readonly berryVersion: string;
  /** Seconds since the epoch, of SOURCE_DATE_EPOCH; null: the list tells no time, and so is the same each time. */
  readonly epochSeconds: number | null;
  /** SHA-256 of a text, in hexadecimal. */
  readonly hash: (text: string) => string;
}

interface Component {
  readonly type: "operating-system" | "library" | "application" | "firmware" | "file";
  readonly "bom-ref": string;
  readonly [key: string]: unknown;
}

/** The software list of a node's image: CycloneDX 1.6 in JSON (ECMA-424). Equal requests give equal texts. */
export function softwareList(request: SoftwareListRequest): string {
  const { node, software, berryVersion, epochSeconds } = request;
  const { system, rootfs, berry } = software;
  const packages = software.packages.map((each) => packageComponent(each, software));
  const own: Component[] = [
    ...(berry === null
      ? []
      : [
          {
            type: "application",
            "bom-ref": "berry",
            name: "berry",
            ...(berry.version === null ? {} : { version: berry.version }),
            hashes: [{ alg: "SHA-256", content: berry.sha256 }],
            properties: [{ name: "berry:path", value: "/usr/bin/berry" }],
          } as const,
        ]),
    ...(rootfs === null
      ? []
      : [
          {
            type: "file",
            "bom-ref": "rootfs",
            name: rootfs.url.split("/").at(-1) ?? rootfs.url,
            hashes: [{ alg: "SHA-256", content: rootfs.sha256 }],
            externalReferences: [{ type: "distribution", url: rootfs.url }],
            properties: [{ name: "berry:signing-key", value: rootfs.signingKey }],
          } as const,
        ]),
  ];
  const body = {
    version: 1,
    metadata: {
      ...(epochSeconds === null ? {} : { timestamp: new Date(epochSeconds * 1000).toISOString() }),
      tools: { components: [{ type: "application", name: "berry", version: berryVersion }] },
      component: {
        type: "firmware",
        "bom-ref": "image",
        name: node,
        properties: [{ name: "berry:target", value: software.target }],
      },
    },
    components: [
      {
        type: "operating-system",
        "bom-ref": "system",
        name: system.id,
        ...(system.version === null ? {} : { version: system.version }),
        description: system.title,
      },
      ...own,
      ...packages,
    ],
    dependencies: [
      { ref: "image", dependsOn: ["system", ...own.map((each) => each["bom-ref"])] },
      { ref: "system", dependsOn: packages.map((each) => each["bom-ref"]) },
    ],
  };
  const head = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(request.hash(JSON.stringify(body)))}`,
  };
  return `${JSON.stringify({ ...head, ...body }, null, 2)}\n`;
}

function packageComponent(each: SoftwarePackage, { family, system }: Software): Component {
  const purl = packageUrl(family, system, each);
  return {
    type: "library",
    "bom-ref": purl,
    name: each.name,
    version: each.version,
    ...(each.sha256 === null ? {} : { hashes: [{ alg: "SHA-256", content: each.sha256 }] }),
    // by name: what a database writes need not be an SPDX expression
    ...(each.licences.length === 0 ? {} : { licenses: each.licences.map((name) => ({ license: { name } })) }),
    purl,
    properties: [{ name: "berry:origin", value: each.origin }],
  };
}

/** RFC 9562, section 5.8: version 8, of our own making. */
function uuidOf(digest: string): string {
  const variant = ((Number.parseInt(digest.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join("-");
}
