import { access, mkdtemp, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { formatTable } from "../../cli/table.ts";
import { defineVerb } from "../../cli/verb.ts";
import type { Cluster, Node } from "../../config/cluster.ts";
import { monitorRole } from "../../config/names.ts";
import { readCluster } from "../read-cluster.ts";
import { BerryError } from "../../core/errors.ts";
import { bootImage } from "../../imager/boot/boot-image.ts";
import type { BootEvent, BootPorts, MachineRequest } from "../../imager/boot/boot-request.ts";
import { bootRows, describeBootEvent } from "../../imager/boot/describe-boot.ts";
import { findIdentities } from "../../imager/boot/identities.ts";
import { bootInteractively } from "../../imager/boot/interactive-console.ts";
import type { Target } from "../../imager/targets/target.ts";
import { loadTarget } from "../../imager/targets/targets-load.ts";
import { systemClock } from "../../system/clock.ts";
import { commandRunner } from "../../system/command-runner.ts";
import { chooseNodes, clusterArguments } from "./prepare.ts";

export const boot = defineVerb({
  description: "boot a node's image on an emulated Pi and report what came up",
  examples: [
    "berry imager boot pi1",
    "berry imager boot pi1 --machine virt",
    "berry imager boot pi1 --interactive",
  ],
  args: {
    file: clusterArguments.file,
    node: { type: "positional", required: true, description: "a node of berry.toml that was baked" },
    machine: {
      type: "enum",
      options: ["raspi3b", "virt"],
      default: "raspi3b",
      description: "raspi3b has the Pi's own devices; virt is quicker and does not mind a busy host",
    },
    identity: {
      type: "string",
      valueHint: "PATH",
      description:
        "a private key to log in with (default: the one of ~/.ssh that belongs to an authorised key)",
    },
    timeout: {
      type: "string",
      default: "600",
      valueHint: "SECONDS",
      description: "how long to wait for the report",
    },
    interactive: { type: "boolean", description: "hand over the console instead" },
  },
  async run({ args, json, verbose, stdout, log, signal }) {
    const cluster = await readCluster(args.file, log, signal);
    const [node] = chooseNodes(cluster, [args.node]);
    if (node === undefined) throw new BerryError("usage", `${args.file} has no node ${args.node}`);
    const { target } = await loadTarget(cluster.target);
    if (args.identity !== undefined) {
      await access(args.identity).catch((cause: unknown) => {
        throw new BerryError("no-input", `cannot read the private key ${args.identity}`, { cause });
      });
    }
    const timeoutSeconds = Number(args.timeout);
    if (!(timeoutSeconds > 0))
      throw new BerryError("usage", `--timeout takes a number of seconds, got ${args.timeout}`);
    await using place = await machineOf(cluster, node, target, args.machine);
    const tell = (event: BootEvent): void => {
      if (json) stdout.write(event.event === "console" && !verbose ? "" : `${JSON.stringify(event)}\n`);
      else if (event.event === "warned") log.warn(event.message, event.hint);
      else if (event.event === "console" && !verbose) return;
      else log.info(event.event === "console" ? event.line : (describeBootEvent(event) ?? ""));
    };
    const ports: BootPorts = { runner: commandRunner, clock: systemClock, environment: environment(), tell };
    if (args.interactive) {
      return await bootInteractively(
        place.request,
        (machine, hint) => log.info(`ssh answers at 127.0.0.1:${machine.ssh}; ${hint}`),
        ports,
        signal,
      );
    }
    const identities =
      args.identity === undefined
        ? await findIdentities(node.user.authorizedKeys, join(homedir(), ".ssh"))
        : [resolve(args.identity)];
    const report = await bootImage(
      {
        ...place.request,
        user: node.user.name,
        identities,
        expectedHostName: node.name,
        reachable: node.network.static === null,
        hasFan: (node.fan?.fans.length ?? 0) > 0,
        isMonitor: node.role === monitorRole,
        timeoutSeconds,
        stallSeconds: 180,
      },
      ports,
      signal,
    );
    stdout.write(
      json
        ? `${JSON.stringify({ event: "booted", ...report })}\n`
        : formatTable(
            [{ title: node.name }, { title: "" }],
            bootRows(report).map((row) => [...row]),
          ),
    );
    if (!report.ok)
      throw new BerryError("bad-data", `${node.name} came up, but not well: ${report.reasons.join("; ")}`);
  },
});

interface Place extends AsyncDisposable {
  readonly request: Omit<MachineRequest, "instrumented">;
}

/** The copy that boots lies beside the image, where there is room for one. */
async function machineOf(
  cluster: Cluster,
  node: Node,
  target: Target,
  machine: MachineRequest["machine"],
): Promise<Place> {
  const image = join(cluster.outputDirectory, `${node.name}.img`);
  await access(image).catch((cause: unknown) => {
    throw new BerryError("no-input", `${node.name} has not been baked: no ${image}`, {
      hint: `berry imager bake ${node.name}`,
      cause,
    });
  });
  const { emulation } = target;
  const scratchDirectory = await mkdtemp(join(cluster.outputDirectory, `.boot-${node.name}-`));
  return {
    request: {
      image,
      machine,
      emulation: {
        kernel: emulation?.kernel ?? null,
        initramfs: emulation?.initramfs ?? null,
        deviceTree: emulation?.device_tree ?? null,
        console: emulation?.console ?? null,
        cmdline: emulation?.cmdline ?? [],
      },
      scratchDirectory,
    },
    [Symbol.asyncDispose]: async () => await rm(scratchDirectory, { recursive: true, force: true }),
  };
}

function environment(): Record<string, string> {
  const names = ["PATH", "HOME", "TERM", "SSH_AUTH_SOCK", "LANG", "TMPDIR"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
