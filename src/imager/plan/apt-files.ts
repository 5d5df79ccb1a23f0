import type { HostFacts } from "../facts/host-facts.ts";
import type { LockedImage } from "../lock/lock.ts";
import type { Step } from "../step.ts";
import type { Target } from "../targets/target.ts";
import { aptConf, sourcesList } from "./apt-conf.ts";
import type { DebianMirror } from "./apt-conf.ts";
import type { LayerPlace } from "./layer.ts";

export type AptTarget = Extract<Target, { family: "apt" }>;

export interface AptPlace {
  readonly target: AptTarget;
  readonly mirror: DebianMirror;
  readonly facts: HostFacts;
  readonly hash: (text: string) => string;
  /** What may be installed; null: anything. */
  readonly locked: LockedImage | null;
}

/** apt's files for one layer; lists and archives are shared by all bakes, as apt verifies them itself. */
export function aptFiles(
  apt: AptPlace,
  place: LayerPlace,
  architecture: string,
): { config: string; archives: string; steps: Step[] } {
  const sources = sourcesList(apt.target.apt, apt.mirror);
  const shared = `${apt.facts.cacheDirectory}/apt/${architecture}-${apt.hash(sources).slice(0, 12)}`;
  const config = `${place.work}/tmp/apt.conf`;
  const status = `${place.root}/var/lib/dpkg`;
  const file = (path: string, content: string, title: string): Step => ({
    title,
    do: "write",
    root: place.work,
    path: `/tmp/${path}`,
    content,
    mode: 0o644,
    owner: "0:0",
  });
  const steps: Step[] = [
    file(
      "apt.conf",
      aptConf({ root: place.root, temporary: place.temporary, shared, architecture }),
      "configure apt",
    ),
    file("sources.list", sources, "name the mirror"),
    {
      title: "prepare apt",
      do: "run",
      argv: [
        "mkdir",
        "-p",
        `${shared}/lists/partial`,
        `${shared}/archives/partial`,
        `${place.temporary}/etc/apt.conf.d`,
        `${place.temporary}/etc/preferences.d`,
        status,
        `${place.root}/var/log`,
      ],
    },
    { title: "prepare dpkg", do: "run", argv: ["touch", `${status}/status`] },
    {
      title: `update the package lists (${architecture})`,
      do: "run",
      argv: ["apt-get", "--quiet", "--error-on=any", "update"],
      env: { APT_CONFIG: config },
    },
  ];
  return { config, archives: `${shared}/archives`, steps };
}

/** sources.list(5) of the image, in the deb822 style. */
export function deb822({ target, mirror }: AptPlace): string {
  const { suite, components, keyring } = target.apt;
  const stanza = (url: string, suites: string): string =>
    [
      "Types: deb",
      `URIs: ${url}`,
      `Suites: ${suites}`,
      `Components: ${components.join(" ")}`,
      `Signed-By: /usr/share/keyrings/${keyring}`,
      "",
    ].join("\n");
  return [
    stanza(mirror.url, `${suite} ${suite}-updates`),
    ...(mirror.securityUrl === null ? [] : [stanza(mirror.securityUrl, `${suite}-security`)]),
  ].join("\n");
}
