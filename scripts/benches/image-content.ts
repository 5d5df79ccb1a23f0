import { rm } from "node:fs/promises";
import { mustRun } from "../../test/fixtures/run.ts";
import { commandRunner } from "../../src/system/command-runner.ts";
import { plainEnvironment } from "../../test/fixtures/run.ts";
import { customisation, wirelessService } from "./bake-cluster.ts";

/** What two images of the same system have in common, however they were made. Values are compared as text. */
export type ImageContent = Readonly<Record<string, readonly string[]>>;

interface Partitions {
  readonly bootBytes: number;
  readonly bootOffset: number;
  readonly rootOffset: number;
}

/**
 * Reads an image without mounting it.
 * @throws Error when a file system is not clean, or the image is not the one that was asked for
 */
export async function readImage(
  image: string,
  node: string,
  scratch: string,
  signal: AbortSignal,
): Promise<ImageContent> {
  const partitions = await readPartitions(image, signal);
  const root = `${image}?offset=${partitions.rootOffset}`;
  await mustRun(["e2fsck", "-f", "-n", root], {}, signal);
  await checkBoot(image, partitions, scratch, signal);
  const read = async (request: string): Promise<string> => {
    const { stdout } = await commandRunner.run(
      ["debugfs", "-R", request, root],
      { env: plainEnvironment("/") },
      signal,
    );
    return stdout;
  };
  const list = async (folder: string): Promise<string[]> =>
    Array.from(
      (await read(`ls -p ${folder}`)).matchAll(/^\/\d+\/\d+\/\d+\/\d+\/([^/]+)\//gm),
      ([, name = ""]) => name,
    )
      .filter((name) => name !== "." && name !== "..")
      .toSorted();
  const wants = "/etc/systemd/system/multi-user.target.wants";
  const { user, locale, timezone } = customisation;
  const content: ImageContent = {
    packages: [
      ...(await list("/var/lib/pacman/local")).filter((name) => name !== "ALPM_DB_VERSION"),
      ...installedDebs(await read("cat /var/lib/dpkg/status")),
    ],
    "boot partition": await bootFiles(image, partitions, signal),
    // how a network card is waited for is each side's own
    services: (await list(wants)).filter((name) => !name.startsWith("berry-") && name !== wirelessService),
    "host name": [(await read("cat /etc/hostname")).trim()],
    locale: [locale, String((await read("stat /usr/lib/locale/locale-archive")).includes("Type: regular"))],
    "time zone": /Fast link dest: "([^"]*)"/.exec(await read("stat /etc/localtime"))?.slice(1) ?? [],
    user: Array.from(
      (await read("cat /etc/passwd")).matchAll(new RegExp(`^${user}:x:\\d+:\\d+:.*$`, "gm")),
      ([line]) => line,
    ),
    password: Array.from(
      (await read("cat /etc/shadow")).matchAll(new RegExp(`^${user}:(\\$\\w+\\$)`, "gm")),
      ([, method = ""]) => method,
    ),
    "Wi-Fi": networks(await read("cat /etc/wpa_supplicant/wpa_supplicant-wlan0.conf")),
    fstab: Array.from(
      (await read("cat /etc/fstab")).matchAll(/^PARTUUID=\S+-0[12] (\S+) (\S+)/gm),
      ([, place = "", type = ""]) => `${place} ${type}`,
    ),
    "berry's bytes": /Size: (\d+)/.exec(await read("stat /usr/bin/berry"))?.slice(1) ?? [],
  };
  for (const [what, found] of Object.entries(content)) {
    if (found.length === 0) throw new Error(`${image} has no ${what}`);
  }
  const wanted = { "host name": node, "time zone": `/usr/share/zoneinfo/${timezone}` };
  for (const [what, value] of Object.entries(wanted)) {
    if (content[what]?.[0] !== value)
      throw new Error(`${image} has the ${what} ${content[what]?.[0]}, not ${value}`);
  }
  return content;
}

/** Names of wpa_supplicant.conf(5), which are text in quotation marks or bytes in hexadecimal. */
function networks(text: string): string[] {
  return Array.from(text.matchAll(/^\s*ssid=(?:"(.*)"|([0-9a-f]+))$/gm), ([, quoted, digits = ""]) => {
    return quoted ?? Buffer.from(digits, "hex").toString();
  });
}

/** @throws Error that names what only one of the two has */
export function compareImages(berry: ImageContent, other: ImageContent): void {
  const differences = Object.keys(berry).flatMap((what) => {
    const [left, right] = [berry[what] ?? [], other[what] ?? []];
    const onlyLeft = left.filter((each) => !right.includes(each));
    const onlyRight = right.filter((each) => !left.includes(each));
    return [
      ...(onlyLeft.length === 0 ? [] : [`${what}: only berry has ${onlyLeft.join(", ")}`]),
      ...(onlyRight.length === 0 ? [] : [`${what}: only the other way has ${onlyRight.join(", ")}`]),
    ];
  });
  if (differences.length > 0)
    throw new Error(`the two sides did not do the same:\n${differences.join("\n")}`);
}

async function readPartitions(image: string, signal: AbortSignal): Promise<Partitions> {
  // Checked boundary: sfdisk(8) wrote it.
  const { partitiontable } = JSON.parse(await mustRun(["sfdisk", "--json", image], {}, signal)) as {
    partitiontable: { partitions: { start: number; size: number; type: string }[] };
  };
  const [boot, root] = partitiontable.partitions;
  if (boot?.type !== "c" || root?.type !== "83")
    throw new Error(`${image} has other partitions than a Pi boots from`);
  return { bootOffset: boot.start * 512, bootBytes: boot.size * 512, rootOffset: root.start * 512 };
}

async function checkBoot(
  image: string,
  { bootOffset, bootBytes }: Partitions,
  scratch: string,
  signal: AbortSignal,
): Promise<void> {
  const copy = `${scratch}/boot.fat`;
  const mebibyte = 1024 * 1024;
  const place = [`skip=${bootOffset / mebibyte}`, `count=${bootBytes / mebibyte}`];
  await mustRun(
    ["dd", `if=${image}`, `of=${copy}`, "bs=1M", "conv=sparse", "status=none", ...place],
    {},
    signal,
  );
  await mustRun(["fsck.vfat", "-n", copy], {}, signal);
  await rm(copy);
}

async function bootFiles(image: string, { bootOffset }: Partitions, signal: AbortSignal): Promise<string[]> {
  const env = { MTOOLS_SKIP_CHECK: "1", MTOOLSRC: "/dev/null" };
  const listed = await mustRun(
    ["mdir", "-/", "-b", "-a", "-i", `${image}@@${bootOffset}`, "::/"],
    { env },
    signal,
  );
  return listed
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith("/"))
    .toSorted();
}

/** NAME VERSION ARCHITECTURE of what dpkg's database has as installed. */
function installedDebs(status: string): string[] {
  return status
    .split("\n\n")
    .filter((stanza) => /^Status: \S+ ok installed$/m.test(stanza))
    .map((stanza) =>
      ["Package", "Version", "Architecture"]
        .map((field) => new RegExp(`^${field}: (.+)$`, "m").exec(stanza)?.[1])
        .join(" "),
    )
    .toSorted();
}
