import { describe, expect, test } from "bun:test";
import { debugfsScript } from "../../../../src/imager/formats/debugfs-script.ts";

const owner = { uid: 1000, gid: 100, modifiedSeconds: 1_700_000_000 };

describe("the commands for debugfs", () => {
  test("write a new file in its folder, then say whose it is", () => {
    expect(
      debugfsScript([
        { kind: "file", path: "/etc/hostname", exists: false, source: "/up/hostname", mode: 0o644, ...owner },
      ]),
    ).toBe(
      [
        'cd "/etc"',
        'write "/up/hostname" "hostname"',
        'set_inode_field "/etc/hostname" mode 0100644',
        'set_inode_field "/etc/hostname" uid 1000',
        'set_inode_field "/etc/hostname" gid 100',
        'set_inode_field "/etc/hostname" mtime @1700000000',
        "",
      ].join("\n"),
    );
  });
  test("remove a file before they write it anew", () => {
    const script = debugfsScript([
      { kind: "file", path: "/etc/shadow", exists: true, source: "/up/shadow", mode: 0o600, ...owner },
    ]);
    expect(script).toStartWith('rm "/etc/shadow"\ncd "/etc"\nwrite "/up/shadow" "shadow"\n');
  });
  test("keep set-user-id bits", () => {
    const script = debugfsScript([
      { kind: "file", path: "/su", exists: false, source: "/up/su", mode: 0o4755, ...owner },
    ]);
    expect(script).toContain('cd "/"\n');
    expect(script).toContain('set_inode_field "/su" mode 0104755\n');
  });
  test("make a folder once", () => {
    const folder = { kind: "directory", path: "/etc/new", mode: 0o700, ...owner } as const;
    expect(debugfsScript([{ ...folder, exists: false }])).toStartWith(
      'mkdir "/etc/new"\nset_inode_field "/etc/new" mode 040700\n',
    );
    expect(debugfsScript([{ ...folder, exists: true }])).toStartWith(
      'set_inode_field "/etc/new" mode 040700\n',
    );
  });
  test("make symbolic links, with their own mode", () => {
    const link = {
      kind: "symlink",
      path: "/etc/localtime",
      target: "/usr/share/zoneinfo/UTC",
      mode: 0o777,
      ...owner,
    } as const;
    expect(debugfsScript([{ ...link, exists: true }])).toStartWith(
      'rm "/etc/localtime"\ncd "/etc"\nsymlink "localtime" "/usr/share/zoneinfo/UTC"\nset_inode_field "/etc/localtime" mode 0120777\n',
    );
    expect(debugfsScript([{ ...link, exists: false }])).not.toContain("rm ");
  });
  test("remove what is gone, and say nothing more of it", () => {
    expect(debugfsScript([{ kind: "removed", path: "/etc/motd" }])).toBe('rm "/etc/motd"\n');
  });
  test("quote names as debugfs reads them", () => {
    expect(debugfsScript([{ kind: "removed", path: '/a "b" c' }])).toBe('rm "/a ""b"" c"\n');
  });
  test("come in the order of the changes", () => {
    const script = debugfsScript([
      { kind: "directory", path: "/new", exists: false, mode: 0o755, ...owner },
      { kind: "file", path: "/new/file", exists: false, source: "/up/file", mode: 0o644, ...owner },
    ]);
    expect(script.indexOf('mkdir "/new"')).toBeLessThan(script.indexOf('cd "/new"'));
    expect(debugfsScript([])).toBe("");
  });
});
