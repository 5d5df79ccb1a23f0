import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A public key whose other half was thrown away. */
export const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOvhCZ3Nju93Mbg+n+ahG19nT7BKB/TsqQx23lD4IAdi test@example";

/** Files that cluster files of the tests name, each as its name says. */
const files: Readonly<Record<string, string | Uint8Array>> = {
  password: "hunter22\n",
  wifi: "correct horse\n",
  raw: `${"0123456789abcdef".repeat(4)}\n`,
  short: "seven77\n",
  umlaut: "überlang genug\n",
  empty: "",
  "two-lines": "hunter22\nhunter23\n",
  nul: "hunter\0 22\n",
  windows: "hunter22\r\n",
  binary: new Uint8Array([0xff, 0xfe, 0x80, 0x0a]),
  private: "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n",
  "key.pub": `# a comment\n\n${key}\n`,
  script: "#!/bin/sh\n",
};

/** What is in those files, or stands in a cluster file by mistake, and may be in no message. */
export const secrets = [
  "hunter2",
  "correct horse",
  "seven77",
  "berlang",
  "0123456789abcdef",
  "c2VjcmV0",
  "longenough",
  "12345678",
];

/** A new folder with the files of the tests. */
export async function furnish(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "berry-config-"));
  await mkdir(join(folder, "folder"));
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), content, { mode: 0o600 });
  await chmod(join(folder, "script"), 0o755);
  return folder;
}
