import { describe, expect, test } from "bun:test";
import { updateLock } from "../../../../src/imager/lock/lock.ts";
import { parseLock } from "../../../../src/imager/lock/parse-lock.ts";
import { renderLock } from "../../../../src/imager/lock/render-lock.ts";
import { bash, cluster, lockedImage, lockedPackage, refusalOf } from "./lock-values.ts";

const text = renderLock(cluster);
const lines = text.trimEnd().split("\n");

describe("the text of a lock", () => {
  test("has a line for each thing, and names nodes only where not all of them have it", () => {
    expect(lines.map((line) => line.replaceAll(/[0-9a-f]{64}/g, "…"))).toEqual([
      '{"format":"berry.lock","version":1,"nodes":["pi1","pi2"]}',
      '{"target":"archlinuxarm-rpi-aarch64"}',
      `{"rootfs":"http://example.org/rootfs.tar.gz","sha256":"…","signing_key":"${"A".repeat(40)}"}`,
      '{"berry":"/usr/bin/berry","sha256":"…"}',
      '{"package":"bash","version":"5-1","architecture":"aarch64","source":"rootfs"}',
      '{"package":"htop","version":"3-1","architecture":"aarch64","sha256":"…","removed":true,"nodes":["pi2"]}',
      '{"package":"iw","version":"6-1","architecture":"aarch64","sha256":"…","nodes":["pi2"]}',
      '{"package":"own-tool","version":"1-1","architecture":"aarch64","source":"script","nodes":["pi2"]}',
      '{"package":"vim","version":"9.1.0-1","architecture":"aarch64","sha256":"…"}',
    ]);
  });
  test("says what the lock says", () => {
    expect(parseLock("berry.lock", text)).toEqual(cluster);
    expect(renderLock(parseLock("berry.lock", text))).toBe(text);
  });
  test("does not depend on any order, and may be read with the line ends of another system", () => {
    const { pi1 = lockedImage(), pi2 = lockedImage() } = cluster;
    expect(renderLock({ pi2: { ...pi2, packages: pi2.packages.toReversed() }, pi1 })).toBe(text);
    expect(parseLock("berry.lock", text.replaceAll("\n", "\r\n"))).toEqual(cluster);
  });
  test("repeats nothing for twenty nodes of two kinds", () => {
    const { pi1 = lockedImage(), pi2 = lockedImage() } = cluster;
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`node${index}`, index % 2 === 0 ? pi1 : pi2]),
    );
    expect(renderLock(many).split("\n")).toHaveLength(text.split("\n").length);
    expect(parseLock("berry.lock", renderLock(many))).toEqual(many);
  });
  test("changes by a line for a package that has another version", () => {
    const { pi1 = lockedImage(), pi2 = lockedImage() } = cluster;
    const newer = [bash, lockedPackage("vim", "9.1.1-1")];
    const changed = renderLock({ pi1: { ...pi1, packages: newer }, pi2 })
      .trimEnd()
      .split("\n");
    expect(changed.filter((line) => !lines.includes(line))).toEqual([
      expect.stringMatching(/^\{"package":"vim","version":"9\.1\.0-1",.*"nodes":\["pi2"\]\}$/),
      expect.stringMatching(/^\{"package":"vim","version":"9\.1\.1-1",.*"nodes":\["pi1"\]\}$/),
    ]);
  });
});

describe("a lock that was damaged is told by line", () => {
  const at = (index: number, line: string): string => lines.with(index, line).join("\n");
  const item = (name: string) => lines.findIndex((line) => line.includes(`"${name}"`));
  test.each<[string, string, string]>([
    ["nothing", "", "line 1: empty"],
    ["no lock at all", "[[package]]\nname = 1\n", "line 1: not JSON"],
    ["a line that was cut off", at(8, lines[8]?.slice(0, 30) ?? ""), "line 9: not JSON"],
    ["a list", at(3, "[]"), "line 4: not a JSON object"],
    ["a merge conflict", text.replace("\n", "\n<<<<<<< HEAD\n"), "line 2: a merge conflict"],
    ["no first line", lines.slice(1).join("\n"), "line 1: format: "],
    [
      "the format of a newer berry",
      text.replace('"version":1', '"version":2'),
      "line 1: version 2 of the format, and this berry knows 1: a newer berry wrote it",
    ],
    [
      "a digest that is none",
      text.replace(/"sha256":"2{64}"/, '"sha256":"222"'),
      "line 4: sha256: 64 lower-case hexadecimal digits",
    ],
    [
      "a key that nobody knows",
      at(4, '{"package":"bash","version":"5-1","architecture":"aarch64","src":"rootfs"}'),
      'line 5: Unrecognized key: "src"',
    ],
    [
      "no version",
      at(4, '{"package":"bash","architecture":"aarch64","source":"rootfs"}'),
      "line 5: version: ",
    ],
    [
      "a node that the first line does not have",
      text.replaceAll('"nodes":["pi2"]', '"nodes":["pi9"]'),
      "line 6: nodes: the first line has no pi9",
    ],
    ["a package twice", `${text}${lines[4]}\n`, "line 10: bash: an image cannot have it twice"],
    ["two tarballs", `${text}${lines[2]}\n`, "line 10: rootfs: an image cannot have two"],
    ["something unknown", `${text}{"kernel":"6"}\n`, "line 10: neither target, rootfs, berry nor package"],
    ["no target", lines.toSpliced(1, 1).join("\n"), "no line says the target of pi1"],
  ])("%s", (_what, content, expected) => {
    const failure = refusalOf(() => parseLock("berry.lock", content));
    expect(failure).toMatchObject({ kind: "config" });
    expect(failure.message).toContain(`berry.lock: ${expected}`);
    expect(failure.hint).toContain(
      expected.includes("a newer berry")
        ? "a newer one"
        : "remove berry.lock, and a bake (without --locked) writes it anew",
    );
  });
  test("all of it at once", () => {
    const failure = refusalOf(() => parseLock("berry.lock", text.replaceAll('aarch64",', "")));
    expect(failure.message.split("\n").length).toBeGreaterThan(3);
    expect(item("vim")).toBe(8);
  });
});

describe("an updated lock", () => {
  const newer = lockedImage([lockedPackage("vim", "9.1.1-1")]);
  test("keeps the entries of nodes that were not baked", () => {
    expect(updateLock(cluster, { pi2: newer }, ["pi1", "pi2"])).toEqual({ ...cluster, pi2: newer });
  });
  test("forgets nodes that the cluster no longer has, and leaves out those that were never baked", () => {
    expect(Object.keys(updateLock(cluster, { pi3: newer }, ["pi2", "pi3", "pi4"]))).toEqual(["pi2", "pi3"]);
  });
});
