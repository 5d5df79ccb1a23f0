/** How letters look on the screen; colours as CSS writes them. */
export interface Look {
  readonly ink: string;
  /** What is behind the letters; null: the screen. */
  readonly paper: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
}

/** Letters that look the same, side by side. */
export interface Run {
  /** Where it begins, from 0. */
  readonly column: number;
  /** How wide it is: a wide letter takes two. */
  readonly columns: number;
  readonly text: string;
  readonly look: Look;
}

export type Line = readonly Run[];

/** The screen from a moment on. */
export interface Frame {
  readonly atMilliseconds: number;
  /** All lines since the terminal was opened, those that were scrolled away too. */
  readonly lines: readonly Line[];
  /** Index of the line at the top of the screen. */
  readonly top: number;
}

export interface Picture {
  readonly title: string;
  /** For those who do not see it. */
  readonly description: string;
  readonly columns: number;
  readonly rows: number;
  /** By time, the first at 0. */
  readonly frames: readonly [Frame, ...Frame[]];
  /** Of the whole; then it begins again. */
  readonly durationMilliseconds: number;
}

/** Colours of the screen: it is dark on light pages too, and its edge is seen on dark ones. */
export const screenColors = { ink: "#d7dce2", paper: "#161a21" } as const;

const cellWidth = 8.4;
const lineHeight = 19;
const fontSize = 14;
const margin = 18;
const barHeight = 36;
const baseline = 14;

/**
 * A terminal's window that plays its frames: SVG 1.1 with CSS animations, and nothing that a page's `<img>` would not
 * load. Each line lies there with all that it ever was, side by side, and is moved so that the right one is seen.
 * Readers that do not animate, or whose user wants no motion, show the last frame.
 */
export function drawPicture(picture: Picture): string {
  const { title, description, columns, rows, frames, durationMilliseconds } = picture;
  const screenWidth = columns * cellWidth;
  const screenHeight = rows * lineHeight;
  const width = Math.ceil(screenWidth + 2 * margin);
  const height = Math.ceil(barHeight + screenHeight + margin + margin / 2);
  const looks = new Map<string, string>();
  const slotWidth = Math.ceil(screenWidth) + 20;
  const films = filmsOf(frames);
  const drawn = films
    .map(({ slots, cuts, index }) => {
      const texts = slots.map((line, slot) => drawLine(line, slot * slotWidth, looks)).join("");
      const group = cuts.length === 1 ? "" : ` id="l${index}" class="m"`;
      return `<g transform="translate(0 ${index * lineHeight})"><g${group}>${texts}</g></g>\n`;
    })
    .join("");
  const animations = [
    ...films
      .filter(({ cuts }) => cuts.length > 1)
      .map(({ cuts, index }) =>
        animate(`l${index}`, durationMilliseconds, cuts, (slot) => `translateX(${-slot * slotWidth}px)`),
      ),
    animate("s", durationMilliseconds, scrollsOf(frames), (top) => `translateY(${-top * lineHeight}px)`),
  ];
  const seconds = round(durationMilliseconds / 1000);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">${escapeXml(title)}</title>
<desc id="desc">${escapeXml(description)}</desc>
<style>
text{font:${fontSize}px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;fill:${screenColors.ink};white-space:pre}
${Array.from(looks, ([rules, name]) => `.${name}{${rules}}`).join("\n")}
.m{animation:${seconds}s step-end infinite}
${animations.join("\n")}
@media (prefers-reduced-motion:reduce){.m{animation:none!important}}
</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="9" fill="${screenColors.paper}" stroke="#7d8590" stroke-opacity=".5"/>
<g fill-opacity=".9"><circle cx="20" cy="18" r="5.5" fill="#f0716b"/><circle cx="39" cy="18" r="5.5" fill="#f5bd4f"/><circle cx="58" cy="18" r="5.5" fill="#5fc454"/></g>
<text x="${round(width / 2)}" y="22.5" text-anchor="middle" fill-opacity=".65">${escapeXml(title)}</text>
<svg x="${margin}" y="${barHeight + margin / 2}" width="${round(screenWidth + 1)}" height="${screenHeight}"><g id="s" class="m">
${drawn}</g></svg>
</svg>
`;
}

interface Film {
  readonly index: number;
  /** What the line ever was, each once. */
  readonly slots: readonly Line[];
  /** From when on it is which of them; -1: empty. */
  readonly cuts: readonly Cut[];
}

interface Cut {
  readonly atMilliseconds: number;
  readonly position: number;
}

function filmsOf(frames: readonly Frame[]): Film[] {
  const count = Math.max(...frames.map(({ lines }) => lines.length));
  return Array.from({ length: count }, (_, index) => {
    const slots = new Map<string, number>();
    const contents: Line[] = [];
    const cuts: Cut[] = [];
    for (const { atMilliseconds, lines } of frames) {
      const line = lines[index] ?? [];
      const key = JSON.stringify(line);
      if (line.length > 0 && !slots.has(key)) slots.set(key, contents.push(line) - 1);
      const position = slots.get(key) ?? -1;
      if (cuts.at(-1)?.position !== position) cuts.push({ atMilliseconds, position });
    }
    return { index, slots: contents, cuts };
  }).filter(({ slots }) => slots.length > 0);
}

function scrollsOf(frames: readonly Frame[]): Cut[] {
  return frames.flatMap(({ atMilliseconds, top }, index) =>
    top === frames[index - 1]?.top ? [] : [{ atMilliseconds, position: top }],
  );
}

/** The last place is where it stays without motion. */
function animate(
  id: string,
  durationMilliseconds: number,
  cuts: readonly Cut[],
  transform: (position: number) => string,
): string {
  const last = transform(cuts.at(-1)?.position ?? 0);
  if (cuts.length < 2) return `#${id}{transform:${last}}`;
  const steps = cuts.map(
    ({ atMilliseconds, position }) =>
      `${round((100 * atMilliseconds) / durationMilliseconds)}%{transform:${transform(position)}}`,
  );
  return `#${id}{animation-name:${id};transform:${last}}@keyframes ${id}{${steps.join("")}to{transform:${last}}}`;
}

/** The width of each run is told, so that columns stay where they are in any font. */
function drawLine(line: Line, left: number, looks: Map<string, string>): string {
  return line
    .map(({ column, columns, text, look }) => {
      const x = round(left + column * cellWidth);
      const width = round(columns * cellWidth);
      const paper =
        look.paper === null
          ? ""
          : `<rect x="${x}" width="${width}" height="${lineHeight - 1}" fill="${look.paper}"/>`;
      if (text.trim() === "") return paper;
      const name = classOf(look, looks);
      const kind = name === null ? "" : ` class="${name}"`;
      const length = columns === 1 ? "" : ` textLength="${width}"`;
      return `${paper}<text x="${x}" y="${baseline}"${length}${kind}>${escapeXml(text)}</text>`;
    })
    .join("");
}

/** @returns the class of a look; null: it is the screen's own. New ones are added to `looks`, by their rules. */
function classOf({ ink, bold, dim, italic, underline }: Look, looks: Map<string, string>): string | null {
  const rules = [
    ink === screenColors.ink ? "" : `fill:${ink}`,
    bold ? "font-weight:bold" : "",
    dim ? "fill-opacity:.62" : "",
    italic ? "font-style:italic" : "",
    underline ? "text-decoration:underline" : "",
  ].filter((rule) => rule !== "");
  if (rules.length === 0) return null;
  const key = rules.join(";");
  const name = looks.get(key) ?? `c${looks.size}`;
  looks.set(key, name);
  return name;
}

function round(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

/** What XML cannot say at all is left out. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
