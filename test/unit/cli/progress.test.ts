import { describe, expect, test } from "bun:test";
import { fakeClock, recorder } from "./fakes.ts";
import { liveLines, sanitize, truncate } from "../../../src/cli/bake-lines.ts";
import { advance, bakeBegin } from "../../../src/cli/bake-state.ts";
import { createProgress } from "../../../src/cli/progress.ts";
import { createScreen } from "../../../src/cli/screen.ts";
import { formatTable } from "../../../src/cli/table.ts";
import { GiB, MiB } from "../../../src/core/units.ts";
import type { BakeEvent } from "../../../src/imager/event.ts";

const bake: readonly BakeEvent[] = [
  { event: "planned", steps: 3, nodes: ["pi1", "pi2"] },
  { event: "cached", layer: "rootfs" },
  { event: "started", step: 4, layer: "packages", title: "install 12 packages" },
  { event: "progress", step: 4, doneBytes: 312 * MiB, totalBytes: 624 * MiB },
  { event: "output", step: 4, line: "\u001B[31mSetting up\tavahi\u001B[0m\u0007" },
  { event: "finished", step: 4, seconds: 65, emulatedSeconds: 40 },
  { event: "warned", message: "no signature was checked", hint: "set signing_key" },
  { event: "started", step: 5, layer: "image", title: "make the file system" },
  { event: "finished", step: 5, seconds: 5, emulatedSeconds: 0 },
  {
    event: "image",
    node: "pi1",
    path: "images/pi1.img",
    sizeBytes: 2 * GiB,
    mappedBytes: 1100 * MiB,
    softwareList: "images/pi1.cdx.json",
  },
  { event: "baked", seconds: 80, emulatedSeconds: 40, peakMemoryBytes: 200 * MiB },
];

const failed: BakeEvent = { event: "failed", kind: "io", message: "pacman failed", hint: null };

function draw(
  events: readonly BakeEvent[],
  { isTerminal = false, columns = 80, json = false, verbose = false } = {},
) {
  const stdout = recorder();
  const stderr = recorder({ isTerminal, columns });
  const clock = fakeClock();
  const progress = createProgress({ json, verbose, stdout, screen: createScreen(stderr) }, clock);
  for (const event of events) progress.handle(event);
  return { stdout, stderr, clock, progress };
}

/** What a terminal shows after all that was written to it. */
function shown(written: string): string {
  const rows: string[] = [];
  let row = 0;
  for (const part of written.split(/(\u001B\[\d*[AJ]|\n|\r)/)) {
    const up = /^\u001B\[(\d+)A$/.exec(part);
    if (up !== null) row -= Number(up[1]);
    else if (part === "\u001B[J") rows.length = row;
    else if (part === "\n") row += 1;
    else if (part !== "\r" && part !== "") rows[row] = part;
  }
  return rows.map((text) => `${text}\n`).join("");
}

const kept = `baking pi1, pi2: 3 steps
cached rootfs
[1/3] packages: install 12 packages done in 1 min 05 s, 40 s of it emulated, 312 MiB
warning: no signature was checked
hint: set signing_key
[2/3] image: make the file system done in 5.0 s
image pi1: images/pi1.img (2.0 GiB, 1.1 GiB of it mapped)
`;

describe("in a log", () => {
  test("every step has a line at its start and one at its end", () => {
    const { stderr } = draw(bake);
    const lines = kept.split("\n");
    lines.splice(2, 0, "[1/3] packages: install 12 packages");
    lines.splice(6, 0, "[2/3] image: make the file system");
    expect(stderr.text()).toBe(lines.join("\n"));
  });
  test("what programs write is told with --verbose alone, without escape sequences", () => {
    expect(draw(bake).stderr.text()).not.toContain("avahi");
    expect(draw(bake, { verbose: true }).stderr.text()).toContain("\n    Setting up avahi\n");
  });
  test("a failure is preceded by what the step wrote last", () => {
    const { stderr } = draw([...bake.slice(0, 5), failed]);
    expect(stderr.text()).toEndWith(
      "[1/3] packages: install 12 packages wrote last:\n    Setting up avahi\n",
    );
  });
});

describe("on a terminal", () => {
  test("a running step is one line, redrawn as time and bytes go on", async () => {
    const { stderr, clock, progress } = draw(bake.slice(0, 4), { isTerminal: true });
    await clock.advance(12_000);
    expect(shown(stderr.text()).split("\n")[2]).toBe(
      "[1/3] packages: install 12 packa…  12 s  312 MiB of 624 MiB  [#####.....]  50 %",
    );
    progress.handle({ event: "progress", step: 4, doneBytes: 624 * MiB, totalBytes: 624 * MiB });
    await clock.advance(1000);
    expect(shown(stderr.text()).split("\n")[2]).toEndWith("13 s  624 MiB of 624 MiB  [##########] 100 %");
    progress[Symbol.dispose]();
  });
  test("progress that comes quicker than people read is not drawn", () => {
    const { stderr, progress } = draw(bake.slice(0, 3), { isTerminal: true });
    const before = stderr.text();
    for (let doneBytes = 0; doneBytes < 1000; doneBytes += 1) {
      progress.handle({ event: "progress", step: 4, doneBytes, totalBytes: null });
    }
    expect(stderr.text()).toBe(before);
    progress[Symbol.dispose]();
  });
  test("after the bake, what was redrawn is gone and what is done has stayed", () => {
    expect(shown(draw(bake, { isTerminal: true }).stderr.text())).toBe(kept);
  });
  test("what took less than a second leaves nothing", () => {
    const finished: BakeEvent = { event: "finished", step: 4, seconds: 0.9, emulatedSeconds: 0 };
    const { stderr } = draw([...bake.slice(0, 3), finished], { isTerminal: true });
    expect(shown(stderr.text())).toBe("baking pi1, pi2: 3 steps\ncached rootfs\n");
  });
  test("after a failure nothing is left of the redrawn line", () => {
    const { stderr, progress } = draw(bake.slice(0, 4), { isTerminal: true });
    progress[Symbol.dispose]();
    expect(shown(stderr.text())).toBe("baking pi1, pi2: 3 steps\ncached rootfs\n");
  });
  test("nothing is drawn after the end, however late the clock wakes", async () => {
    const { stderr, clock } = draw(bake, { isTerminal: true });
    const before = stderr.text();
    await clock.advance(10_000);
    expect(stderr.text()).toBe(before);
  });
  test("no redrawn line is as wide as the terminal, narrow or wide characters", () => {
    const start: BakeEvent = {
      event: "started",
      step: 0,
      layer: "包",
      title: "安装 很多 很多 很多 很多 软件包".repeat(3),
    };
    const state = advance(
      advance(bakeBegin, start, 0),
      { event: "progress", step: 0, doneBytes: 1, totalBytes: 3 },
      0,
    );
    for (const columns of [1, 10, 40, 60, 80, 200]) {
      for (const line of liveLines(state, 5000, columns)) expect(Bun.stringWidth(line)).toBeLessThan(columns);
    }
  });
});

test("with --json the events are lines of stdout, but for the failure, which the command line tells", () => {
  const { stdout, stderr } = draw([...bake, failed], { json: true, isTerminal: true });
  const lines = stdout.text().trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([...bake]);
  expect(stderr.text()).toBe("");
});

test("the summary on stdout names images, the slowest steps, what emulation cost and the memory", () => {
  expect(draw(bake).stdout.text())
    .toBe(`baked 1 image in 1 min 20 s, 50 % of it under emulation, 200 MiB of memory at most

NODE     SIZE   MAPPED  IMAGE
pi1   2.0 GiB  1.1 GiB  images/pi1.img

      TIME  EMULATED  SLOWEST STEPS
1 min 05 s      40 s  packages: install 12 packages
     5.0 s         -  image: make the file system
`);
});

test("the summary names images in the order of their nodes, and the file with their host keys", () => {
  const image = (node: string): BakeEvent => ({
    event: "image",
    node,
    path: `images/${node}.img`,
    softwareList: `images/${node}.sbom.json`,
    sizeBytes: GiB,
    mappedBytes: MiB,
  });
  const end: BakeEvent = { event: "baked", seconds: 1, emulatedSeconds: 0, peakMemoryBytes: MiB };
  const summary = (path: string) =>
    draw([
      { event: "planned", steps: 2, nodes: ["pi10", "pi9"] },
      image("pi9"),
      image("pi10"),
      { event: "known-hosts", path, nodes: 2 },
      end,
    ]).stdout.text();
  const written = summary("images/known_hosts");
  expect(written.indexOf("images/pi10.img")).toBeLessThan(written.indexOf("images/pi9.img"));
  expect(written).toContain("the host keys of 2 nodes");
  expect(written).toContain("ssh -o UserKnownHostsFile=images/known_hosts NODE.local\n");
  expect(summary("my images/known_hosts")).toContain(
    `ssh -o UserKnownHostsFile='"my images/known_hosts"' NODE.local`,
  );
  expect(draw([image("pi9"), end]).stdout.text()).not.toContain("host keys");
});

test("a bake of cached layers alone has a summary, too", () => {
  const { stdout } = draw([{ event: "baked", seconds: 0, emulatedSeconds: 0, peakMemoryBytes: MiB }]);
  expect(stdout.text()).toBe(
    "baked 0 images in 0.0 s, 0 % of it under emulation, 1.0 MiB of memory at most\n",
  );
});

test("what programs write cannot steer the terminal", () => {
  expect(sanitize("a\u001B[2Jb\u001B]0;title\u0007c\rd\u0085e")).toBe("abcde");
});

test("a text is cut at the last letter that fits", () => {
  expect([truncate("abcdef", 6), truncate("abcdef", 5), truncate("软件包", 4), truncate("ab", 0)]).toEqual([
    "abcdef",
    "abcd…",
    "软…",
    "",
  ]);
});

test("a table aligns wide characters and leaves no space at the end of a line", () => {
  const columns = [{ title: "name" }, { title: "size", align: "right" }, { title: "note" }] as const;
  expect(
    formatTable(columns, [
      ["软件", "7", ""],
      ["pi1", "1234", "x"],
    ]),
  ).toBe("NAME  SIZE  NOTE\n软件     7\npi1   1234  x\n");
});
