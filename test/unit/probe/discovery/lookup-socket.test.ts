import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lookUp } from "../../../../src/probe/discovery/lookup-socket.ts";
import { failureOf } from "../../../fixtures/failure-of.ts";

const { signal } = new AbortController();

test("an address needs no resolver, and keeps its zone", async () => {
  const named = { host: "fe80::1", zone: "eth0", port: 9100 };
  expect(await lookUp(named, 0, signal)).toEqual([{ address: "fe80::1", family: 6, zone: "eth0" }]);
});

test("a name is looked up where the system looks", async () => {
  const addresses = await lookUp({ host: "localhost", zone: null, port: 9100 }, 5000, signal);
  expect(["127.0.0.1", "::1"]).toContain(addresses[0]?.address ?? "");
});

test("a name that nobody knows says how to go on, and Ctrl-C ends the wait", async () => {
  const unknown = { host: "no such name.invalid", zone: null, port: 9100 };
  expect(await failureOf(lookUp(unknown, 60_000, signal))).toMatchObject({
    kind: "unavailable",
    message: "host no such name.invalid is not known to this machine's resolver",
    hint: expect.stringContaining("getent hosts"),
  });
  const aborted = failureOf(lookUp(unknown, 60_000, AbortSignal.abort(new Error("interrupted"))));
  expect(await aborted).toEqual(new Error("interrupted"));
});

describe("a resolver's program", () => {
  let folder = "";
  const program = async (script: string): Promise<string> => {
    const path = join(folder, "getent");
    await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "berry-getent-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("tells each address once, with its zone", async () => {
    const getent = await program(
      "printf '10.0.0.1 STREAM %s\\n10.0.0.1 DGRAM\\nfe80::1%%eth0 STREAM\\n' \"$2\"",
    );
    expect(await lookUp({ host: "pi1", zone: null, port: 9100 }, 60_000, signal, getent)).toEqual([
      { address: "10.0.0.1", family: 4, zone: null },
      { address: "fe80::1", family: 6, zone: "eth0" },
    ]);
  });
  test("that never answers holds nobody's end", async () => {
    const fixture = join(import.meta.dir, "../../../fixtures/look-up.fixture.ts");
    const getent = await program("exec sleep 1000");
    const child = Bun.spawn([process.execPath, fixture, getent], { stdout: "pipe" });
    expect(await child.stdout.text()).toContain("host pi1 was not resolved within 10 ms\n");
    expect(await child.exited).toBe(0);
  });
});
