import { defineVerb } from "../../cli/verb.ts";
import { printable } from "../../core/printable.ts";
import { askInTurn } from "../../probe/ask-queue.ts";
import { systemDiscovery } from "../../probe/discovery/discovery-load.ts";
import { checkInterfaces } from "../../probe/discovery/links.ts";
import { readInterfaces } from "../../probe/discovery/links-file.ts";
import { parseNamedHost } from "../../probe/discovery/named-host.ts";
import { ask } from "../../probe/health/ask-http.ts";
import { nameHostsFirst } from "../../probe/name-hosts-first.ts";
import type { Row } from "../../probe/row.ts";
import type { Heard } from "../../probe/rows/group-sightings.ts";
import { rowsOf } from "../../probe/rows/rows-of.ts";
import { systemClock } from "../../system/clock.ts";
import { clusterNodes } from "./cluster-nodes.ts";
import { findOptions } from "./find-options.ts";
import { isAnybodyFound, countExpected, judgeRows } from "./judge-rows.ts";
import { type Found, lookOnce } from "./look-once.ts";
import { presentRows } from "./present-rows.ts";

/** `berry probe`: who is there, and how they are. */
export const find = defineVerb({
  description: "list the nodes and how they are: who lives, how warm, how full; and who is missing",
  examples: [
    "berry probe find",
    "berry probe find --expect 4 --timeout 2min",
    "berry probe find --watch",
    "berry probe find -o wide --filter 'temp>70||throttled'",
    "berry probe find -o ssh-config --write cluster.conf",
    "berry probe find --host 192.168.2.11,pi9.example:9100",
  ],
  args: {
    output: {
      type: "enum",
      alias: "o",
      options: ["table", "wide", "json", "ndjson", "prom-sd", "hosts", "ssh-config", "ansible", "names"],
      valueHint: "FORMAT",
      description:
        "table; wide leaves nothing out; json and ndjson have it all; the others are for Prometheus, /etc/hosts, ssh, Ansible and shells. With --json stdout is the list alone: what fails is told on stderr, as JSON",
    },
    filter: {
      type: "string",
      valueHint: "EXPRESSION",
      description:
        "these alone, such as 'temp>70 && role==server' or 'name=~pi[1-4]'; ! comes before && before ||: !(temp>70); of name, state, model, role, version, serial, address, temp, fan, rpm, load, memory, disk, uptime, throttled, known, health",
    },
    expect: {
      type: "string",
      valueHint: "N",
      description:
        "end the moment the N-th of them lives; fail where that is not so in time. Whom berry.toml does not know does not count; the count alone is judged, not how they are",
    },
    timeout: {
      type: "string",
      valueHint: "TIME",
      description: "how long to look: at most 1s, with --expect 60s",
    },
    watch: { type: "boolean", alias: "w", description: "go on until Ctrl-C, and show what changes" },
    host: {
      type: "string",
      valueHint: "HOST,…",
      description: "ask these, too: names or addresses, with :PORT where it is not 9100",
    },
    iface: {
      type: "string",
      valueHint: "NAME,…",
      description: "look through these network interfaces alone",
    },
    via: {
      type: "enum",
      options: ["mdns", "avahi"],
      default: "mdns",
      description: "who looks: berry itself, or the avahi of this machine",
    },
    file: {
      type: "string",
      alias: "f",
      valueHint: "FILE",
      description: "the cluster file, which says who is missing (default: berry.toml, where there is one)",
    },
    cluster: {
      type: "boolean",
      default: true,
      description: "read the cluster file",
      negativeDescription: "read no cluster file: nobody is missing or unknown",
    },
    write: {
      type: "string",
      valueHint: "FILE",
      description:
        "write the result there, by one rename, when it has changed; with --watch keep it up to date. As long as nobody is found, a file that is there stays as it is",
    },
  },
  failures: "stderr",
  async run(context) {
    const { args, json, log, signal } = context;
    const options = await findOptions(args, json);
    const { filter, expect, request } = options;
    const zones = request.hosts.map((host) => parseNamedHost(host).zone).filter((zone) => zone !== null);
    if (request.interfaces.length + zones.length > 0)
      checkInterfaces(readInterfaces(), request.interfaces, zones);
    const ports = {
      discovery: nameHostsFirst(systemDiscovery(systemClock)),
      ask: askInTurn(ask, systemClock),
    };
    const shownOf = (rows: readonly Row[]) => (filter === null ? rows : rows.filter(filter));
    const nodes = clusterNodes(args.file, args.cluster, log);
    nodes.catch(() => undefined);
    if (options.isWatching) {
      const { expected, users } = await nodes;
      const allOf = (heard: readonly Heard[]) => rowsOf(heard, expected);
      const { watchRows } = await import("./watch-rows.ts");
      await watchRows(context, options, ports, { allOf, shownOf, users });
      return;
    }
    const { heard, warnings } = await (expect === null
      ? lookOnce(options.request, ports, nodes, signal)
      : awaitLiving(expect));
    for (const { message, hint } of warnings) log.warn(printable(message), hint);
    const { expected, users } = await nodes;
    const all = rowsOf(heard, expected);
    const shown = shownOf(all);
    await presentRows(context, options, shown, users, isAnybodyFound(all, options.format));
    const failure = judgeRows(all, shown, expect);
    if (failure !== null) throw failure;
    if (shown.length === 0) log.info(`${all.length} found, none of them as the filter wants it`);

    async function awaitLiving(count: number): Promise<Found> {
      const { expected } = await nodes;
      const isEnough = (heard: readonly Heard[]) => countExpected(shownOf(rowsOf(heard, expected))) >= count;
      const { awaitNodes } = await import("./await-nodes.ts");
      return awaitNodes(options.request, ports, isEnough, signal);
    }
  },
});
