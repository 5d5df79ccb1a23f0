import { expect, test } from "bun:test";
import { namedNodes } from "../../../src/config/named-nodes.ts";

test("the nodes of a cluster file have a name, a role and a user, whatever else is wrong with it", () => {
  const content = {
    user: { name: "chaney", password_file: 5 },
    wifi: "none",
    node: [
      { name: "pi1", role: "server", network: { address: "nonsense" } },
      { name: "pi2", role: "no role", user: { name: "other" } },
      { name: "pi2", role: "server" },
      { name: "PI 3" },
      { user: "chaney" },
      "pi4",
      null,
    ],
  };
  expect(namedNodes(content)).toEqual({
    nodes: [
      { name: "pi1", role: "server", user: "chaney" },
      { name: "pi2", role: "node", user: "other" },
    ],
    nameless: 4,
  });
  expect(namedNodes({ node: [{ name: "pi1" }] })?.nodes).toEqual([{ name: "pi1", role: "node", user: null }]);
  expect(namedNodes({ user: { name: "root" }, node: [{ name: "pi1" }] })?.nodes[0]?.user).toBeNull();
});

test.each([[null], ["x"], [[]], [{}], [{ node: {} }], [{ node: [] }], [{ node: "pi1" }]])(
  "there are none in %j",
  (content) => {
    expect(namedNodes(content)).toBeNull();
  },
);
