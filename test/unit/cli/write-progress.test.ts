import { describe, expect, test } from "bun:test";
import { fakeClock, recorder } from "./fakes.ts";
import { createScreen } from "../../../src/cli/screen.ts";
import { liveCardLines } from "../../../src/cli/write-lines.ts";
import { createWriteProgress } from "../../../src/cli/write-progress.ts";
import { advanceWrite, writeBegin } from "../../../src/cli/write-state.ts";
import { GiB, MiB } from "../../../src/core/units.ts";
import type { WriteEvent } from "../../../src/imager/write/write-event.ts";

const card = (device: string, image: string): WriteEvent => ({
  event: "card",
  device,
  image: `/home/me/images/${image}.img`,
  model: "Generic \u001B[31mReader",
  sizeBytes: 32 * GiB,
  writeBytes: 2 * GiB,
});
const progress = (phase: "writing" | "verifying", doneBytes: number): WriteEvent => ({
  event: "progress",
  device: "/dev/sdb",
  phase,
  doneBytes,
  totalBytes: 2 * GiB,
});
const stalled: WriteEvent = { event: "stalled", device: "/dev/sdb", phase: "writing", seconds: 20 };
const verified: WriteEvent = {
  event: "verified",
  device: "/dev/sdb",
  writtenBytes: GiB,
  verifiedBytes: 2 * GiB,
  keptBytes: GiB,
  writeSeconds: 64,
  verifySeconds: 32,
};
const failed: WriteEvent = {
  event: "failed",
  device: "/dev/sdc",
  kind: "not-verified",
  message: "/dev/sdc gave back something else",
  hint: "throw it away",
  mismatch: null,
};
const finished: WriteEvent = { event: "finished", written: 1, failed: 1, seconds: 99 };

function draw(events: readonly WriteEvent[], { isTerminal = false, json = false } = {}) {
  const stdout = recorder();
  const stderr = recorder({ isTerminal, columns: 100 });
  using drawing = createWriteProgress({ json, stdout, screen: createScreen(stderr) }, fakeClock());
  for (const event of events) drawing.handle(event);
  return { stdout: stdout.text(), stderr: stderr.text() };
}

const all = [
  card("/dev/sdb", "pi1"),
  card("/dev/sdc", "pi2"),
  progress("writing", 0),
  progress("writing", GiB),
  stalled,
  progress("verifying", 0),
  verified,
  failed,
  finished,
];

describe("in a log", () => {
  test("each phase, each silence and each end has a line; the summary goes to stdout", () => {
    expect(draw(all)).toEqual({
      stderr: `2.0 GiB of pi1.img go to /dev/sdb, Generic \\u{1b}[31mReader
2.0 GiB of pi2.img go to /dev/sdc, Generic \\u{1b}[31mReader
/dev/sdb: writing 2.0 GiB
/dev/sdb: no answer for 20 s while writing; waiting for the card
/dev/sdb: verifying 2.0 GiB
whole /dev/sdb: 1.0 GiB were there already, 1.0 GiB written, read back and compared; it may be taken out
failed /dev/sdc gave back something else
hint: throw it away
`,
      stdout: `1 card written and verified, 1 not, in 1 min 39 s

DEVICE    IMAGE       KEPT  WRITTEN                  WRITING       READING BACK  RESULT
/dev/sdb  pi1.img  1.0 GiB  1.0 GiB  1 min 04 s (16.0 MiB/s)  32 s (64.0 MiB/s)  may be taken out
/dev/sdc  pi2.img        -        -                        -                  -  not finished: not-verified
`,
    });
  });
});

describe("on a terminal", () => {
  test("the running cards are redrawn in place, and nothing of them is left", () => {
    const { stderr } = draw(all, { isTerminal: true });
    expect(stderr).toContain("/dev/sdb  pi1.img  writing");
    expect(stderr).not.toContain("waiting for the card");
    expect(stderr.slice(stderr.lastIndexOf("\u001B[J"))).not.toContain("pi1.img");
  });

  test("a line tells how fast it goes and how long it will take, of the last ten seconds", () => {
    let state = advanceWrite(writeBegin, card("/dev/sdb", "pi1"), 0);
    state = advanceWrite(state, progress("writing", 0), 0);
    state = advanceWrite(state, progress("writing", 1000 * MiB), 10_000);
    expect(liveCardLines(state, 120)).toEqual([
      "/dev/sdb  pi1.img  writing    [####......]  48 %  1000 MiB of 2.0 GiB  100 MiB/s  10 s left",
    ]);
    state = advanceWrite(state, progress("writing", 1024 * MiB), 20_000);
    expect(liveCardLines(state, 120)[0]).toContain("2.4 MiB/s");
    expect(liveCardLines(advanceWrite(state, stalled, 30_000), 120)[0]).toEndWith("no answer for 20 s");
    expect(liveCardLines(state, 40).map((line) => line.length)).toEqual([39]);
  });

  test("another phase begins anew", () => {
    let state = advanceWrite(writeBegin, card("/dev/sdb", "pi1"), 0);
    state = advanceWrite(state, progress("writing", 2 * GiB), 10_000);
    state = advanceWrite(state, progress("verifying", 0), 10_100);
    expect(liveCardLines(state, 120)[0]).toBe(
      "/dev/sdb  pi1.img  verifying  [..........]   0 %  0 B of 2.0 GiB",
    );
  });
});

test("with --json the events are lines of stdout, and nothing else is", () => {
  const { stdout, stderr } = draw(all, { json: true });
  expect(stdout).toBe(all.map((event) => `${JSON.stringify(event)}\n`).join(""));
  expect(stderr).toBe("");
});
