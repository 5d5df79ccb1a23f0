import { describe, expect, test } from "bun:test";
import { chooseDebianMirror } from "../../../../src/imager/facts/collect-mirror.ts";

const main = "Debian|Debian|http://mirror.example/debian/|main|bookworm|oldstable";
const security =
  "Debian|Debian-Security|http://mirror.example/debian-security/|main|bookworm-security|oldstable-security";

describe("Debian's mirror of this host", () => {
  test("is the first that apt uses, with its security mirror, without a slash at the end", () => {
    expect(chooseDebianMirror([main, security, ""].join("\n"))).toEqual({
      url: "http://mirror.example/debian",
      securityUrl: "http://mirror.example/debian-security",
    });
  });
  test("is found whatever comes first", () => {
    expect(chooseDebianMirror([security, main].join("\n"))?.url).toBe("http://mirror.example/debian");
  });
  test("may come without a security mirror", () => {
    expect(chooseDebianMirror(main)).toEqual({ url: "http://mirror.example/debian", securityUrl: null });
  });
  test("is known by its address before the first apt-get update", () => {
    const lines = [
      "||https://mirror.example/debian|main||",
      "||https://mirror.example/debian-security|main||",
    ];
    expect(chooseDebianMirror(lines.join("\n"))).toEqual({
      url: "https://mirror.example/debian",
      securityUrl: "https://mirror.example/debian-security",
    });
  });
  test("is none where apt has other distributions alone", () => {
    expect(chooseDebianMirror("Ubuntu|Ubuntu|http://mirror.example/ubuntu|main|noble|noble\n")).toBeNull();
    expect(
      chooseDebianMirror("Docker|Docker|https://mirror.example/linux/debian|stable|bookworm|\n"),
    ).toBeNull();
    expect(chooseDebianMirror("||http://mirror.example/debian-multimedia|main||\n")).toBeNull();
    expect(chooseDebianMirror("")).toBeNull();
  });
  test("is nothing that other machines cannot reach", () => {
    expect(
      chooseDebianMirror(main.replace("http://mirror.example/debian/", "cdrom:[Debian 12]/")),
    ).toBeNull();
    expect(
      chooseDebianMirror(
        main.replace("http://mirror.example/debian/", "mirror+file:/etc/apt/mirrors/debian.list"),
      ),
    ).toBeNull();
    expect(chooseDebianMirror([main.replace("http://", "file:/"), main].join("\n"))?.url).toBe(
      "http://mirror.example/debian",
    );
  });
});
