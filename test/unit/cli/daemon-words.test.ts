import { expect, test } from "bun:test";
import { daemonWords } from "../../../src/cli/daemon-words.ts";

test("the daemon is started without the command line by the words of its unit alone", () => {
  expect(daemonWords(["fand", "run"])).toEqual({ config: undefined });
  expect(daemonWords(["fand", "run", "--config", "/etc/x.toml"])).toEqual({ config: "/etc/x.toml" });
  for (const words of [
    [],
    ["fand"],
    ["fand", "check"],
    ["fand", "run", "--help"],
    ["fand", "run", "--config"],
  ])
    expect(daemonWords(words)).toBeNull();
  for (const words of [
    ["fand", "run", "--config", "--help"],
    ["fand", "run", "--config", "x", "-v"],
    ["imager", "run"],
  ])
    expect(daemonWords(words)).toBeNull();
});
