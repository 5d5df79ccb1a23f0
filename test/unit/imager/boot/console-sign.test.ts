import { describe, expect, test } from "bun:test";

import { withConsole } from "../../../../src/imager/boot/boot-image.ts";
import {
  describeFailure,
  plainText,
  readConsoleLine,
  type ConsoleSign,
} from "../../../../src/imager/boot/console-sign.ts";

/** Lines as Debian's kernel, its initramfs and systemd print them. */
const meanings: readonly (readonly [line: string, sign: ConsoleSign | null])[] = [
  [
    "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd034]",
    { sign: "milestone", milestone: "kernel" },
  ],
  [
    "[    9.9] EXT4-fs (mmcblk0p2): mounted filesystem 1f1e r/w with ordered data mode.",
    { sign: "milestone", milestone: "root" },
  ],
  [
    "[   11.9] systemd[1]: systemd 257.9-1~deb13u1 running in system mode (+PAM)",
    { sign: "milestone", milestone: "systemd" },
  ],
  ["Welcome to Arch Linux ARM!", { sign: "milestone", milestone: "systemd" }],
  ["pi1 login: ", { sign: "milestone", milestone: "login" }],
  [
    '[ 1.2] VFS: Cannot open root device "mmcblk0p9" or unknown-block(0,0): error -6',
    { sign: "failure", failure: "no-root" },
  ],
  [
    "[ 1.3] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
    { sign: "failure", failure: "no-root" },
  ],
  [
    "[ 1.3] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
    { sign: "failure", failure: "panic" },
  ],
  ["(initramfs) ", { sign: "failure", failure: "initramfs-shell" }],
  [
    "ALERT!  PARTUUID=b0057e57-09 does not exist.  Dropping to a shell!",
    { sign: "failure", failure: "initramfs-shell" },
  ],
  [
    'You are in emergency mode. After logging in, type "journalctl -xb" to view',
    { sign: "failure", failure: "emergency" },
  ],
  ["Give root password for maintenance", { sign: "failure", failure: "emergency" }],
  ["[   80.1] reboot: Power down", { sign: "failure", failure: "power-off" }],
  ["[   20.1] mmc0: Timeout waiting for hardware interrupt.", { sign: "slow-card" }],
  ["[   20.2] I/O error, dev mmcblk0, sector 12345 op 0x0:(READ)", { sign: "slow-card" }],
  ["[  OK  ] Reached target multi-user.target - Multi-User System.", null],
  ["[    3.1] usb 1-1: New USB device found", null],
  ["Last login: Mon Nov 23 00:00:00 UTC 2026 on ttyS1", null],
  ["", null],
];

test.each(meanings)("the console line %j means %j", (line, sign) => {
  expect(readConsoleLine(line)).toEqual(sign);
});

test("a failure names the drivers of the machine that it happened on", () => {
  expect(describeFailure("no-root", "virt").join()).toContain("virtio_blk");
  expect(describeFailure("no-root", "raspi3b").join()).toContain("sdhci-iproc");
});

test("colours, titles and carriage returns are no part of a line", () => {
  expect(plainText("\u001b[0;32m  OK  \u001b[0m] Started \u001b]0;title\u0007x\r")).toBe("  OK  ] Started x");
  expect(plainText("tab\tstays, Größe too")).toBe("tab\tstays, Größe too");
});

describe("withConsole", () => {
  test("shows the last lines that say something, and none of the report", () => {
    const lines = [
      ...Array.from({ length: 20 }, (_, index) => `line ${index}`),
      "",
      "berry-report 1 9 4 QUJD",
    ];
    const shown = withConsole("the kernel panicked", lines).split("\n");
    expect(shown[0]).toBe("the kernel panicked; the console's last lines:");
    expect(shown.at(-1)).toBe("  | line 19");
    expect(shown).toHaveLength(13);
  });

  test("shows before them what systemd said to have failed", () => {
    const lines = [
      "[  OK  ] Started a.service.",
      "[FAILED] Failed to mount mnt.mount - /mnt.",
      ...Array.from({ length: 20 }, (_, index) => `line ${index}`),
    ];
    expect(withConsole("emergency", lines).split("\n").slice(1, 3)).toEqual([
      "  | [FAILED] Failed to mount mnt.mount - /mnt.",
      "  | line 8",
    ]);
  });

  test("says so when there was nothing", () => {
    expect(withConsole("no report after 9 s", ["", " "])).toBe(
      "no report after 9 s; the console stayed empty",
    );
  });
});
