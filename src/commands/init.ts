import { join, resolve } from "node:path";
import { defineVerb } from "../cli/verb.ts";
import { type HostDefaults, hostSources, readHostDefaults } from "../config/host-defaults.ts";
import { readCluster } from "./read-cluster.ts";
import { checkHostName, checkUserName } from "../config/names.ts";
import { passwordRandomBytes } from "../config/random-password.ts";
import { checkCountry, checkKeymap, checkLocale, checkTimezone } from "../config/region.ts";
import { checkSsid } from "../config/secrets.ts";
import { extendGitignore, refuseTaken, writeNewFiles } from "../config/write-new-files.ts";
import type { Log } from "../core/ports.ts";
import { shippedTargetNames } from "../imager/targets/targets.ts";
import { type Decision, decideByAsking, decideByDefault, type Given, secretPaths } from "./init/decide.ts";
import { filesOf, referenceTo, targetReference } from "./init/files.ts";
import { checkNodeNames, expandNodeNames } from "./init/node-names.ts";
import { checkShippedTarget, refuseFlaw, refuseGaps } from "./init/refuse.ts";
import { terminalAsker } from "./init/terminal-asker.ts";

/** `berry init`: asks, then writes berry.toml and the secrets that it names; never over a file that is there. */
export const init = defineVerb({
  description: "write a berry.toml for a new cluster",
  examples: [
    "berry init",
    "berry init --yes --nodes 4",
    "berry init --yes --nodes pi1,pi2 --ssid home --psk-file wifi --country CN",
  ],
  args: {
    yes: { type: "boolean", alias: "y", description: "ask nothing: take the defaults" },
    dir: { type: "string", default: ".", valueHint: "FOLDER", description: "where to write" },
    name: { type: "string", valueHint: "NAME", description: "of the cluster: berry" },
    nodes: { type: "string", valueHint: "COUNT|NAMES", description: "how many, or their names: pi1" },
    target: { type: "string", valueHint: "TARGET", description: "image target: archlinuxarm-rpi-aarch64" },
    user: { type: "string", valueHint: "NAME", description: "user to create: you" },
    key: { type: "string", valueHint: "PATH", description: "public key for ssh: the best one of ~/.ssh" },
    "password-file": {
      type: "string",
      valueHint: "PATH",
      description: "file with the user's password: a random one is made",
    },
    ssid: { type: "string", valueHint: "NAME", description: "wireless network: none" },
    "psk-file": { type: "string", valueHint: "PATH", description: "file with the passphrase of the network" },
    country: { type: "string", valueHint: "CC", description: "where the radio is used: that of your locale" },
    timezone: { type: "string", valueHint: "ZONE", description: "this machine's" },
    locale: { type: "string", valueHint: "LOCALE", description: "this machine's" },
    keymap: { type: "string", valueHint: "KEYMAP", description: "this machine's" },
  },
  async run({ args, json, stdout, log, signal }) {
    const folder = resolve(args.dir);
    const refer = (path: string | undefined) => (path === undefined ? undefined : referenceTo(path, folder));
    const targets = shippedTargetNames();
    const nodes = refuseFlaw("nodes", args.nodes, checkNodeNames);
    const target = refuseFlaw("target", args.target, (each) => checkShippedTarget(each, targets));
    const given: Given = {
      name: refuseFlaw("name", args.name, checkHostName),
      nodes: nodes === undefined ? undefined : expandNodeNames(nodes),
      target: target === undefined ? undefined : targetReference(target, folder),
      user: refuseFlaw("user", args.user, checkUserName),
      key: refer(args.key),
      passwordFile: refer(args["password-file"]),
      timezone: refuseFlaw("timezone", args.timezone, checkTimezone),
      locale: refuseFlaw("locale", args.locale, checkLocale),
      keymap: refuseFlaw("keymap", args.keymap, checkKeymap),
      ssid: refuseFlaw("ssid", args.ssid, checkSsid),
      pskFile: refer(args["psk-file"]),
      country: refuseFlaw("country", args.country, checkCountry),
    };
    const host = await readHostDefaults(hostSources());
    refuseGaps(given, args.yes, process.stdin.isTTY, host.country);
    const random = crypto.getRandomValues(new Uint8Array(passwordRandomBytes));
    const preset = decideByDefault(given, host, random);
    // before anything is asked, and berry.toml itself first
    await refuseTaken(args.dir, filesOf(preset).toReversed());
    const decision = args.yes ? preset : await decideAtTerminal(given, host, random, log, signal);
    signal.throwIfAborted();

    const files = filesOf(decision);
    await writeNewFiles(args.dir, files, async () => {
      await readCluster(join(args.dir, "berry.toml"), log, signal);
      await extendGitignore(args.dir, ["secret/", "images/"]);
    });

    const written = files.map(({ path }) => join(args.dir, path));
    if (json) stdout.write(`${JSON.stringify({ file: join(folder, "berry.toml"), written })}\n`);
    else for (const path of written) stdout.write(`wrote ${path}\n`);
    if (decision.isPasswordRandom) {
      log.info(
        `${decision.answers.user} has a random password: it is in ${join(args.dir, secretPaths.password)}, which you alone can read`,
      );
    }
    if (decision.answers.authorizedKeys.length === 0) {
      log.warn(
        "no public key: ssh will ask for the password",
        "ssh-keygen -t ed25519, then add authorized_keys to [user] of berry.toml",
      );
    }
  },
});

async function decideAtTerminal(
  given: Given,
  host: HostDefaults,
  random: Uint8Array,
  log: Log,
  signal: AbortSignal,
): Promise<Decision> {
  const terminal = { input: process.stdin, write: (text: string) => void process.stderr.write(text) };
  using asker = terminalAsker(terminal, log, signal);
  return await decideByAsking(given, host, shippedTargetNames(), random, asker);
}
