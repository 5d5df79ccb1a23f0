import { describe, expect, test } from "bun:test";
import { parse } from "smol-toml";
import { type ClusterAnswers, renderCluster } from "../../../src/config/render-cluster.ts";

const answers: ClusterAnswers = {
  name: "berry",
  nodes: ["pi1", "pi2"],
  target: "debian-arm64",
  user: "chaney",
  passwordFile: "secret/password",
  authorizedKeys: [],
  wifi: null,
  timezone: "UTC",
  locale: "C.UTF-8",
  keymap: "us",
};
/** A commented line of TOML: a table, or a key that is bare. */
const example = /^# (?=\[[a-z]+\]$|[a-z_]+ *= )/;

/** With the comment taken from the examples at these places among all of them; those of a node stand in the first one. */
function uncomment(text: string, isWanted: (index: number) => boolean): string {
  let seen = 0;
  const lines = text.split("\n").map((line) => {
    if (!example.test(line)) return line;
    const bare = isWanted(seen) ? line.replace(example, "") : line;
    seen += 1;
    return bare;
  });
  return lines.join("\n");
}

describe("the examples in a new berry.toml", () => {
  const wifi = { ssid: "home", pskFile: "secret/wifi", country: "CN" };
  const texts = [answers, { ...answers, wifi, authorizedKeys: ["~/.ssh/id_ed25519.pub"] }].map(renderCluster);

  test.each(texts)("can lose their comments one by one, or all at once", (text) => {
    const count = text.split("\n").filter((line) => example.test(line)).length;
    expect(count).toBeGreaterThan(10);
    for (let only = 0; only < count; only += 1)
      expect(() => parse(uncomment(text, (index) => index === only))).not.toThrow();
    expect(() => parse(uncomment(text, () => true))).not.toThrow();
  });
  test("have host_keys in the table that it belongs to", () => {
    for (const text of texts)
      expect(parse(text.replace("# host_keys", "host_keys"))["ssh"]).toEqual({
        password_login: true,
        host_keys: "secret/host-keys",
      });
  });
});
