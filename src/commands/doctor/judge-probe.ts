import { BerryError } from "../../core/errors.ts";
import type { Need } from "../../imager/install-command.ts";
import { chooseLinks, type InterfaceFacts } from "../../probe/discovery/links.ts";
import { type Finding, missing, partly, ready, type Report } from "./finding.ts";

/** A unit as systemd tells of it; null: systemctl did not answer. */
export type UnitFacts = {
  /** `loaded`, `not-found`, `masked` … */
  readonly load: string;
  /** `enabled`, `disabled` … */
  readonly file: string;
  /** `active`, `inactive`, `failed` … */
  readonly active: string;
} | null;

export interface ProbeFacts {
  /** Why berry.toml, which names the nodes, cannot be used, each line a problem; null: it can, or there is none. */
  readonly brokenFile: { readonly message: string; readonly hint: string | null } | null;
  readonly interfaces: readonly InterfaceFacts[];
  /** What announces this machine to others; null: it is no Raspberry Pi, and need not be found. */
  readonly announcing: { readonly announce: UnitFacts; readonly avahi: UnitFacts } | null;
}

const avahiNeed: Need = {
  program: "avahi-daemon",
  debian: "avahi-daemon",
  arch: "avahi",
  fedora: "avahi",
};
const announceUnit = "berry-announce.service";
const avahiUnit = "avahi-daemon.service";
const firewall =
  "where nodes are missing: a firewall, which is not seen from here, has to let UDP to port 5353 and TCP to port 9100 out, and the answers in";

/** Whether nodes can be looked for, and on a Pi whether others find it. Pure. */
export function judgeProbe({ brokenFile, interfaces, announcing }: ProbeFacts): Report {
  const broken = brokenFile === null ? [] : judgeFile(brokenFile);
  const links = judgeLinks(interfaces);
  const announced = announcing === null ? [] : judgeAnnouncing(announcing.announce, announcing.avahi);
  const isFound = announced.every(({ level }) => level === "ready");
  return {
    role: "probe",
    level: links.level === "missing" || broken.length > 0 ? "missing" : isFound ? "ready" : "partly",
    what:
      links.level === "missing"
        ? "there is no network to look for nodes in"
        : broken.length > 0
          ? "berry.toml has to be mended first"
          : isFound
            ? "nodes can be looked for"
            : "nodes can be looked for, but others do not find this one",
    findings: [...broken, links, ...announced],
  };
}

const withoutFile = "berry probe --no-cluster";

function judgeFile({ message, hint }: NonNullable<ProbeFacts["brokenFile"]>): readonly Finding[] {
  const mended = hint ?? "mend it";
  const remedy = mended.includes("--no-cluster") ? mended : `${mended}; until then: ${withoutFile}`;
  return message.split("\n").map((line) => missing(line, remedy));
}

function judgeLinks(interfaces: readonly InterfaceFacts[]): Finding {
  try {
    const links = chooseLinks(interfaces, []);
    const names = [...new Set(links.map(({ name }) => name))].map((name) => {
      const families = links.filter((link) => link.name === name).map(({ family }) => `IPv${family}`);
      return `${name} (${families.join(", ")})`;
    });
    return ready(`asked through ${names.join(", ")}`, firewall);
  } catch (thrown) {
    if (!(thrown instanceof BerryError)) throw thrown;
    return missing(thrown.message, thrown.hint ?? null);
  }
}

function judgeAnnouncing(announce: UnitFacts, avahi: UnitFacts): readonly Finding[] {
  return [
    judgeUnit(announceUnit, announce, () =>
      missing(
        `${announceUnit} is not installed: nothing announces this Pi`,
        "install berry's package, or bake the image with berry imager",
      ),
    ),
    judgeUnit(avahiUnit, avahi, () =>
      missing("avahi is not installed: nothing announces this Pi", null, [avahiNeed]),
    ),
  ];
}

function judgeUnit(unit: string, facts: UnitFacts, whereMissing: () => Finding): Finding {
  if (facts === null)
    return partly(`systemctl does not answer: whether ${unit} runs is not known`, `systemctl status ${unit}`);
  const { load, file, active } = facts;
  if (load === "not-found") return whereMissing();
  if (load === "masked")
    return missing(`${unit} is masked`, `sudo systemctl unmask ${unit}, then enable --now`);
  if (active === "failed") return missing(`${unit} has failed`, `journalctl -u ${unit} -b says why`);
  const isEnabled = ["enabled", "enabled-runtime", "static", "linked", "generated", "indirect"].includes(
    file,
  );
  if (active !== "active" || !isEnabled)
    return missing(
      active === "active"
        ? `${unit} is not enabled: after the next boot it does not run`
        : `${unit} does not run: ${active}`,
      `sudo systemctl enable --now ${unit}`,
    );
  return ready(`${unit} runs`);
}
