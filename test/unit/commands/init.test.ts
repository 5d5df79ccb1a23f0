import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Asker } from "../../../src/commands/init/asker.ts";
import {
  decideByAsking,
  decideByDefault,
  type Decision,
  type Given,
} from "../../../src/commands/init/decide.ts";
import { filesOf, referenceTo, targetReference } from "../../../src/commands/init/files.ts";
import { checkNodeNames, expandNodeNames } from "../../../src/commands/init/node-names.ts";
import { checkShippedTarget, refuseFlaw, refuseGaps } from "../../../src/commands/init/refuse.ts";
import { terminalAsker } from "../../../src/commands/init/terminal-asker.ts";
import { type HostDefaults, readHostDefaults } from "../../../src/config/host-defaults.ts";
import { fanJudge } from "../../../src/commands/read-cluster.ts";
import { examineCluster } from "../../../src/config/load-cluster.ts";
import { extendGitignore, writeNewFiles } from "../../../src/config/write-new-files.ts";
import { BerryError, messageOf } from "../../../src/core/errors.ts";
import { key } from "../config/cluster-folder.ts";

const { signal } = new AbortController();
const random = new Uint8Array(20);
const nothing: Given = {
  name: undefined,
  nodes: undefined,
  target: undefined,
  user: undefined,
  key: undefined,
  passwordFile: undefined,
  timezone: undefined,
  locale: undefined,
  keymap: undefined,
  ssid: undefined,
  pskFile: undefined,
  country: undefined,
};
const host: HostDefaults = {
  timezone: "Asia/Shanghai",
  locale: "zh_CN.UTF-8",
  keymap: "us",
  country: "CN",
  userName: "chaney",
  publicKeys: [],
};
const targets = ["archlinuxarm-rpi-aarch64", "debian-arm64"];
const noLog = { info: () => undefined, warn: () => undefined };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berry-init-"));
});
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (path: string) => ((await stat(join(folder, path))).mode & 0o777).toString(8);
const write = (decision: Decision) => writeNewFiles(folder, filesOf(decision), () => Promise.resolve());

/** Answers in turn; an answer that is refused is followed by the next one. */
function scripted(answers: readonly string[]): Asker & { readonly asked: string[] } {
  const left = [...answers];
  const asked: string[] = [];
  const take: Asker["text"] = async (question, suggestion, check) => {
    asked.push(question);
    for (;;) {
      const typed = left.shift();
      if (typed === undefined) throw new Error(`no answer to ${question}`);
      const answer = typed === "" ? suggestion : typed;
      if (check(answer) === null) return answer;
    }
  };
  return {
    asked,
    text: take,
    choose: (question, options) => take(question, options[0] ?? "", () => null),
    secret: (question, check) => take(question, "", check),
  };
}

describe("what is written", () => {
  test("loads back without a problem, by default and with everything answered", async () => {
    const byDefault = decideByDefault(nothing, host, random);
    await write(byDefault);
    const plain = await examineCluster(join(folder, "berry.toml"), fanJudge, signal);
    expect([plain.problems, plain.warnings]).toEqual([[], []]);
    expect(plain.cluster?.nodes.map(({ name, user, wifi }) => [name, user.name, wifi])).toEqual([
      ["pi1", "chaney", null],
    ]);
    expect(plain.cluster?.nodes[0]?.image.timezone).toBe("Asia/Shanghai");

    await rm(join(folder, "berry.toml"));
    await rm(join(folder, "secret"), { recursive: true });
    await writeFile(join(folder, "my.pub"), key);
    const asker = scripted([
      "home",
      "3",
      "",
      "pi",
      "",
      "geheim",
      "gehiem",
      "geheim",
      'the "net" \\ ü',
      "short",
      "correct horse",
      "DE",
      "Europe/Berlin",
      "de_DE.UTF-8",
      "de",
    ]);
    await write(await decideByAsking(nothing, { ...host, publicKeys: ["my.pub"] }, targets, random, asker));
    const full = await examineCluster(join(folder, "berry.toml"), fanJudge, signal);
    expect([full.problems, full.warnings]).toEqual([[], []]);
    expect(full.cluster?.nodes.map(({ name }) => name)).toEqual(["pi1", "pi2", "pi3"]);
    expect(full.cluster?.nodes[2]).toMatchObject({
      image: { timezone: "Europe/Berlin", locale: "de_DE.UTF-8", keymap: "de" },
      user: { name: "pi", authorizedKeys: [key], password: { path: join(folder, "secret/password") } },
      wifi: { ssid: 'the "net" \\ ü', country: "DE", pskFile: join(folder, "secret/wifi") },
    });
    expect(await readFile(join(folder, "secret/password"), "utf8")).toBe("geheim\n");
    expect(await readFile(join(folder, "secret/wifi"), "utf8")).toBe("correct horse\n");
    expect(await readFile(join(folder, "berry.toml"), "utf8")).not.toMatch(/geheim|correct horse/);
  });

  test("gives secrets mode 0600 in a folder of mode 0700", async () => {
    await write(decideByDefault(nothing, host, random));
    expect(await Promise.all(["secret", "secret/password", "berry.toml"].map(modeOf))).toEqual([
      "700",
      "600",
      "644",
    ]);
  });

  test("overwrites nothing, and touches nothing when something is in the way", async () => {
    const files = filesOf(decideByDefault(nothing, host, random));
    for (const taken of ["berry.toml", "secret/password"]) {
      await mkdir(join(folder, "secret"), { recursive: true });
      await writeFile(join(folder, taken), "mine");
      const thrown: unknown = await writeNewFiles(folder, files, () => Promise.resolve()).catch(
        (reason: unknown) => reason,
      );
      expect(messageOf(thrown)).toBe(`${join(folder, taken)} exists already and is never overwritten`);
      expect(thrown).toMatchObject({ kind: "cannot-create" });
      expect(await readFile(join(folder, taken), "utf8")).toBe("mine");
      await rm(join(folder, taken));
      expect((await readdir(folder, { recursive: true })).toSorted()).toEqual(["secret"]);
    }
  });

  test("does not follow a link that leads nowhere", async () => {
    await symlink(join(folder, "elsewhere"), join(folder, "berry.toml"));
    const thrown: unknown = await write(decideByDefault(nothing, host, random)).catch(
      (reason: unknown) => reason,
    );
    expect(messageOf(thrown)).toContain("never overwritten");
    expect(await readdir(folder)).toEqual(["berry.toml"]);
  });

  test.each([
    ["a folder", (path: string) => mkdir(path), "it is a folder", "a folder, and not a file"],
    ["a link", (path: string) => symlink("nowhere", path), "it is a link that leads", "a link that leads"],
  ])("and who reads it say the same of %s in its place", async (_, make, taken, read) => {
    const path = join(folder, "berry.toml");
    await make(path);
    const refused: unknown = await write(decideByDefault(nothing, host, random)).catch(
      (reason: unknown) => reason,
    );
    expect(messageOf(refused)).toContain(`never overwritten: ${taken}`);
    expect(refused).toMatchObject({
      hint: expect.stringContaining("move it away, or choose another folder"),
    });
    const unread: unknown = await examineCluster(path, fanJudge, signal).catch((reason: unknown) => reason);
    expect(messageOf(unread)).toContain(read);
    expect(unread).toMatchObject({ hint: expect.stringMatching(/move it away; berry init$/) });
  });

  test("is removed again when it does not stand the check", async () => {
    const inner = join(folder, "new", "folder");
    const failure = new BerryError("config", "no good");
    const writing = writeNewFiles(inner, filesOf(decideByDefault(nothing, host, random)), () =>
      Promise.reject(failure),
    );
    expect(await writing.catch((reason: unknown) => reason)).toBe(failure);
    expect(await readdir(folder)).toEqual([]);
  });

  test("is kept out of git, each line once", async () => {
    await writeFile(join(folder, ".gitignore"), "node_modules\n/secret");
    expect(await extendGitignore(folder, ["secret/", "images/"])).toBe(true);
    expect(await extendGitignore(folder, ["secret/", "images/"])).toBe(false);
    expect(await readFile(join(folder, ".gitignore"), "utf8")).toBe("node_modules\n/secret\nimages/\n");
  });
});

describe("what is decided", () => {
  test("nothing is asked that the command line says", async () => {
    const given: Given = {
      ...nothing,
      name: "a",
      nodes: ["b"],
      target: "debian-arm64",
      user: "c",
      key: "k.pub",
      passwordFile: "p",
      timezone: "UTC",
      locale: "C.UTF-8",
      keymap: "us",
      ssid: "s",
      pskFile: "w",
      country: "CN",
    };
    const asker = scripted([]);
    const decision = await decideByAsking(given, host, targets, random, asker);
    expect(asker.asked).toEqual([]);
    expect(decision).toEqual(decideByDefault(given, host, random));
    expect([decision.password, decision.passphrase, decision.isPasswordRandom]).toEqual([null, null, false]);
  });

  test("an empty password becomes a random one, an empty network none", async () => {
    const decision = await decideByAsking(
      nothing,
      host,
      targets,
      random,
      scripted(["", "", "", "", "", "", "", "", ""]),
    );
    expect([decision.isPasswordRandom, decision.password, decision.answers.wifi]).toEqual([
      true,
      "aaaaa-aaaaa-aaaaa-aaaaa",
      null,
    ]);
  });

  test("an empty passphrase means an open network", async () => {
    const decision = await decideByAsking(
      { ...nothing, ssid: "cafe" },
      host,
      targets,
      random,
      scripted(["", "", "", "", "", "", "", "", "", ""]),
    );
    expect([decision.answers.wifi, decision.passphrase]).toEqual([
      { ssid: "cafe", pskFile: null, country: "CN" },
      null,
    ]);
  });

  test("the best public key of the machine is taken", () => {
    const keys = ["~/.ssh/id_ed25519.pub", "~/.ssh/id_rsa.pub"];
    expect(decideByDefault(nothing, { ...host, publicKeys: keys }, random).answers.authorizedKeys).toEqual([
      "~/.ssh/id_ed25519.pub",
    ]);
  });

  test("nodes are a count or names", () => {
    expect([expandNodeNames("2"), expandNodeNames("a, b c")]).toEqual([
      ["pi1", "pi2"],
      ["a", "b", "c"],
    ]);
    expect(["1", "250", "a,b"].map(checkNodeNames)).toEqual([null, null, null]);
    expect(["0", "251", "a,a", "A", ",", ""].filter((text) => checkNodeNames(text) === null)).toEqual([]);
  });

  test("paths are named as the new file sees them", () => {
    const home = process.env["HOME"] ?? "";
    expect([
      referenceTo("/c/secret/x", "/c"),
      referenceTo("/d/x", "/c"),
      referenceTo(`${home}/.ssh/k.pub`, "/c"),
    ]).toEqual(["secret/x", "/d/x", "~/.ssh/k.pub"]);
    expect([targetReference("debian-arm64", "/c"), targetReference("/c/mine.toml", "/c")]).toEqual([
      "debian-arm64",
      "mine.toml",
    ]);
  });
});

describe("what is refused", () => {
  test("a flag with a wrong value is named, with what would be right", () => {
    expect(() =>
      refuseFlaw("target", "debian-arm46", (target) => checkShippedTarget(target, targets)),
    ).toThrow('--target "debian-arm46": no target of that name');
    expect(checkShippedTarget("debian-arm46", targets)?.remedy).toBe("did you mean debian-arm64?");
  });

  test.each([
    [
      "no terminal and no --yes",
      nothing,
      false,
      false,
      "standard input is not a terminal: nobody can be asked",
    ],
    [
      "a network without a passphrase",
      { ...nothing, ssid: "home" },
      true,
      false,
      "--ssid with --yes needs the passphrase of the network",
    ],
    [
      "a network without a country",
      { ...nothing, ssid: "home", pskFile: "w" },
      true,
      false,
      "--ssid with --yes needs the country of the radio",
    ],
    [
      "a passphrase without a network",
      { ...nothing, pskFile: "w" },
      true,
      false,
      "--psk-file and --country belong to a wireless network",
    ],
  ])("%s", (_title, given, yes, isTerminal, message) => {
    expect(() => refuseGaps(given, yes, isTerminal, null)).toThrow(message);
  });
});

describe("the machine's own settings", () => {
  test("are read, and its sound public keys, the best one first", async () => {
    const [etc, ssh] = [join(folder, "etc"), join(folder, ".ssh")];
    await mkdir(join(etc, "default"), { recursive: true });
    await mkdir(ssh);
    await writeFile(join(etc, "locale.conf"), 'LANG="de_DE.utf8"\n');
    await writeFile(join(etc, "default", "keyboard"), "XKBMODEL=pc105\nXKBLAYOUT=gb,de\n");
    for (const name of ["id_rsa.pub", "id_ed25519.pub", "other.pub"])
      await writeFile(join(ssh, name), `${key}\n`);
    await writeFile(join(ssh, "broken.pub"), "ssh-ed25519 AAAA\n");
    const sources = {
      home: folder,
      etc,
      environment: { SUDO_USER: "root", USER: "ada", LANG: "" },
      timezone: "Europe/Berlin",
    };
    expect(await readHostDefaults(sources)).toEqual({
      timezone: "Europe/Berlin",
      locale: "de_DE.UTF-8",
      keymap: "uk",
      country: "DE",
      userName: "ada",
      publicKeys: ["~/.ssh/id_ed25519.pub", "~/.ssh/id_rsa.pub", "~/.ssh/other.pub"],
    });
  });

  test("are replaced by plain ones where there are none", async () => {
    const sources = { home: folder, etc: folder, environment: { USER: "root" }, timezone: "+01:00" };
    expect(await readHostDefaults(sources)).toEqual({
      timezone: "UTC",
      locale: "C.UTF-8",
      keymap: "us",
      country: null,
      userName: "pi",
      publicKeys: [],
    });
  });
});

describe("the terminal", () => {
  const open = (given: AbortSignal) => {
    const input = new PassThrough();
    const shown: string[] = [];
    return {
      input,
      shown,
      asker: terminalAsker({ input, write: (text) => void shown.push(text) }, noLog, given),
    };
  };

  test("answers questions in turn with lines that were typed ahead", async () => {
    const { input, asker } = open(signal);
    using _closed = asker;
    input.write("visible\n\nhidden secret\n2\n");
    const accept = () => null;
    expect(await asker.text("A", "", accept)).toBe("visible");
    expect(await asker.text("B", "suggested", accept)).toBe("suggested");
    const answer = asker.secret("C", accept);
    expect(await answer).toBe("hidden secret");
    expect(await asker.choose("D", ["one", "two"])).toBe("two");
  });

  test("does not echo what is typed after the question for a secret", async () => {
    const { input, shown, asker } = open(signal);
    using _closed = asker;
    const answer = asker.secret("Password", () => null);
    input.write("hidden secret\n");
    expect(await answer).toBe("hidden secret");
    expect(shown.join("")).toContain("Password: ");
    expect(shown.join("")).not.toContain("hidden");
  });

  test.each([
    ["Ctrl-C", "\u0003"],
    ["Ctrl-D", "\u0004"],
  ])("%s interrupts", async (_name, typed) => {
    const { input, asker } = open(signal);
    using _closed = asker;
    const answer = asker.text("A", "", () => null).catch((reason: unknown) => reason);
    input.write(typed);
    expect(await answer).toMatchObject({ kind: "interrupted", message: "interrupted: nothing was written" });
  });

  test("a signal interrupts", async () => {
    const controller = new AbortController();
    const { asker } = open(controller.signal);
    using _closed = asker;
    const answer = asker.secret("A", () => null).catch((reason: unknown) => reason);
    controller.abort();
    expect(await answer).toMatchObject({ kind: "interrupted" });
  });
});
