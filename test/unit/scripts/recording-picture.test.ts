import { describe, expect, test } from "bun:test";
import { DOMParser } from "@xmldom/xmldom";
import { drawPicture, type Frame, type Picture } from "../../../scripts/recording/picture.ts";
import { refuseWords } from "../../../scripts/recording/machine-words.ts";
import { playOnScreen } from "../../../scripts/recording/screen.ts";

const size = { columns: 20, rows: 3 };

async function framesOf(...texts: readonly string[]): Promise<[Frame, ...Frame[]]> {
  const chunks = texts.map((text, index) => ({ atMilliseconds: index * 1000, text }));
  const [first, ...more] = await playOnScreen(chunks, size);
  if (first === undefined) throw new Error("a frame is needed");
  return [first, ...more];
}

async function drawn(texts: readonly string[], changes: Partial<Picture> = {}): Promise<string> {
  return drawPicture({
    title: "berry",
    description: "what is done",
    ...size,
    frames: await framesOf(...texts),
    durationMilliseconds: 4000,
    ...changes,
  });
}

function parse(picture: string) {
  const onError = (level: string, message: string) => {
    throw new Error(`${level}: ${message}`);
  };
  return new DOMParser({ onError }).parseFromString(picture, "image/svg+xml");
}

/** All words that are ever seen. */
const textsOf = (picture: string) =>
  Array.from(parse(picture).getElementsByTagName("text"), ({ textContent }) => textContent);

describe("what a terminal shows", () => {
  test("is told line by line, in words at columns, with their colours", async () => {
    const [{ lines }] = await framesOf("a  \u001B[1;32mgreen\u001B[m\r\n  b c");
    expect(lines.map((line) => line.map(({ column, columns, text }) => [column, columns, text]))).toEqual([
      [
        [0, 1, "a"],
        [3, 5, "green"],
      ],
      [[2, 3, "b c"]],
    ]);
    expect(lines[0]?.map(({ look }) => [look.ink, look.bold])).toEqual([
      ["#d7dce2", false],
      ["#8fd694", true],
    ]);
  });

  test("is the last of what was drawn in place", async () => {
    const frames = await framesOf("kept\r\n10 %\r\n", "\r\u001B[1A\u001B[J20 %\r\n");
    expect(frames.map(({ lines }) => lines.map(([run]) => run?.text))).toEqual([
      ["kept", "10 %"],
      ["kept", "20 %"],
    ]);
  });

  test("keeps what was scrolled away above its top", async () => {
    const frames = await framesOf("1\r\n2\r\n3", "\r\n4\r\n5");
    expect(frames.map(({ top, lines }) => [top, lines.length])).toEqual([
      [0, 3],
      [2, 5],
    ]);
  });

  test("counts a wide letter as two columns", async () => {
    const [{ lines }] = await framesOf("木木 x  y");
    expect(lines[0]?.map(({ column, columns, text }) => [column, columns, text])).toEqual([
      [0, 6, "木木 x"],
      [8, 1, "y"],
    ]);
  });

  test("has colours of a palette and of its own, also the other way round", async () => {
    const [{ lines }] = await framesOf(
      "\u001B[38;5;196ma\u001B[m\u001B[48;2;1;2;3mb\u001B[m\u001B[7m \u001B[m",
    );
    expect(lines[0]?.map(({ text, look }) => [text, look.ink, look.paper])).toEqual([
      ["a", "#ff0000", null],
      ["b", "#d7dce2", "#010203"],
      [" ", "#161a21", "#d7dce2"],
    ]);
  });
});

describe("a picture", () => {
  test("is XML whatever is said in it", async () => {
    const picture = await drawn([`<b> &lt; "q"`], { title: "a<b", description: "\u0001'&" });
    expect(textsOf(picture)).toEqual(["a<b", `<b> &lt; "q"`]);
    expect(parse(picture).getElementsByTagName("desc")[0]?.textContent).toBe("'&");
  });

  test("draws a line that stays once, and one that changes as often as it changes", async () => {
    const picture = await drawn(["stays\r\none", "\rtwo", "\rone", "\rone"]);
    expect(textsOf(picture)).toEqual(["berry", "stays", "one", "two"]);
    const [, steps = ""] = /@keyframes l1\{(.*)\}$/m.exec(picture) ?? [];
    expect(
      Array.from(steps.matchAll(/([\d.]+%|to)\{transform:translateX\((-?\d+)px\)/g), ([, at, x]) => [at, x]),
    ).toEqual([
      ["0%", "0"],
      ["25%", "-188"],
      ["50%", "0"],
      ["to", "0"],
    ]);
  });

  test("shows the end where nothing moves", async () => {
    const picture = await drawn(["one\r\n\r\n", "\u001B[2A\rtwo", "\r\n\r\n\r\nend"]);
    expect(picture).toContain("#l0{animation-name:l0;transform:translateX(-188px)}");
    expect(picture).toContain("#s{animation-name:s;transform:translateY(-19px)}");
    expect(picture).toContain("@media (prefers-reduced-motion:reduce){.m{animation:none!important}}");
  });

  test("has nothing that a page's <img> would have to load or run", async () => {
    const picture = await drawn(["text \u001B[31mred"]);
    expect(picture).not.toMatch(/<script|<image|<foreignObject|href|url\(|@import|\bon\w+=/);
  });

  test("tells each run its width, so that columns stay in any font", async () => {
    const picture = await drawn(["ab   木"]);
    const widths = Array.from(parse(picture).getElementsByTagName("text"), (text) => [
      text.getAttribute("x"),
      text.getAttribute("textLength"),
    ]);
    expect(widths.slice(1)).toEqual([
      ["0", "16.8"],
      ["42", "16.8"],
    ]);
  });
});

test("a word of the machine is refused where it stands alone, in whatever line it was once seen", async () => {
  const frames = await framesOf("at host-1 now", "\rvery well done");
  expect(() => refuseWords(frames, ["host-1"])).toThrow(
    "'host-1' of this machine would be seen: at host-1 now",
  );
  expect(() => refuseWords(frames, ["host", "eve", "on"])).not.toThrow();
});
