import { describe, expect, test } from "bun:test";
import { run } from "./fakes.ts";

describe("help", () => {
  test("of the whole is printed without a command, and by --help and -h", async () => {
    const bare = await run([]);
    expect(bare.exitCode).toBe(0);
    expect(bare.stdout).toMatchSnapshot();
    expect(await run(["--help"])).toEqual(bare);
    expect(await run(["-h"])).toEqual(bare);
  });
  test("of a group lists its commands, the hidden ones aside", async () => {
    const { stdout, stderr, exitCode } = await run(["oven", "--help"]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toMatchSnapshot();
    expect(stdout).not.toContain("worker");
  });
  test("of a verb shows arguments, flags and examples, wherever --help stands", async () => {
    const { stdout } = await run(["oven", "bake", "--help"]);
    expect(stdout).toMatchSnapshot();
    expect((await run(["--help", "oven", "bake"])).stdout).toBe(stdout);
    expect((await run(["oven", "bake", "--bogus", "-h"])).stdout).toBe(stdout);
  });
  test("of a verb shows what it needs", async () => {
    expect((await run(["oven", "write", "-h"])).stdout).toMatchSnapshot();
  });
  test("of a slip is refused like the slip", async () => {
    expect((await run(["ovn", "--help"])).exitCode).toBe(64);
  });
});

describe("version", () => {
  test("is one line", async () => {
    expect((await run(["--version"])).stdout).toBe("berry 1.2.3 (commit abc1234, aarch64)\n");
    expect((await run(["-V"])).stdout).toBe("berry 1.2.3 (commit abc1234, aarch64)\n");
  });
  test("is an object with --json", async () => {
    expect(JSON.parse((await run(["--version", "--json"])).stdout)).toEqual({
      version: "1.2.3",
      commit: "abc1234",
      architecture: "aarch64",
    });
  });
});
