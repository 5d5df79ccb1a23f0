import type { Lock, LockedImage, LockedPackage } from "./lock.ts";

/** Of the format: what a berry does not know, it refuses. */
export const lockVersion = 1;

/**
 * The text of berry.lock: one JSON object a line, so that a difference between two of them is a line a package.
 * The first names the nodes; each further one is something that images are made of, in a fixed order, with
 * `nodes` unless the images of all of them have it. Equal locks give equal texts.
 */
export function renderLock(lock: Lock): string {
  const nodes = Object.keys(lock).toSorted();
  const lines = new Map<
    string,
    { readonly order: string; readonly item: object; readonly nodes: string[] }
  >();
  for (const node of nodes) {
    const image = lock[node];
    if (image === undefined) continue;
    for (const { order, item } of itemsOf(image)) {
      const key = JSON.stringify(item);
      const line = lines.get(key) ?? { order: `${order} ${key}`, item, nodes: [] };
      line.nodes.push(node);
      lines.set(key, line);
    }
  }
  const sorted = [...lines.values()].toSorted((one, other) => (one.order < other.order ? -1 : 1));
  return [
    { format: "berry.lock", version: lockVersion, nodes },
    ...sorted.map(({ item, nodes: having }) =>
      having.length === nodes.length ? item : { ...item, nodes: having },
    ),
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
}

function itemsOf({ target, rootfs, berrySha256, packages }: LockedImage): { order: string; item: object }[] {
  return [
    { order: "0", item: { target } },
    ...(rootfs === null
      ? []
      : [
          {
            order: "1",
            item: { rootfs: rootfs.url, sha256: rootfs.sha256, signing_key: rootfs.signingKey },
          },
        ]),
    ...(berrySha256 === null ? [] : [{ order: "2", item: { berry: "/usr/bin/berry", sha256: berrySha256 } }]),
    ...packages.map((each) => ({ order: `3 ${each.name}`, item: packageItem(each) })),
  ];
}

function packageItem({ name, version, architecture, origin, sha256, removed }: LockedPackage): object {
  return {
    package: name,
    version,
    architecture,
    ...(sha256 === null ? {} : { sha256 }),
    ...(origin === "mirror" ? {} : { source: origin }),
    ...(removed ? { removed } : {}),
  };
}
