import { type IBufferCell, type IBufferLine, Terminal } from "@xterm/headless";
import { paletteColor, rgbColor } from "./colors.ts";
import { type Frame, type Line, type Look, type Run, screenColors } from "./picture.ts";
import type { Chunk } from "./pace.ts";

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a terminal shows after each of the chunks. */
export async function playOnScreen(
  chunks: readonly Chunk[],
  { columns, rows }: ScreenSize,
): Promise<Frame[]> {
  const terminal = new Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
  const frames: Frame[] = [];
  for (const { atMilliseconds, text } of chunks) {
    await new Promise<void>((resolve) => {
      terminal.write(text, resolve);
    });
    const { active } = terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, index) => lineOf(active.getLine(index)));
    while (lines.at(-1)?.length === 0) lines.pop();
    frames.push({ atMilliseconds, lines, top: active.baseY });
  }
  terminal.dispose();
  return frames;
}

function lineOf(line: IBufferLine | undefined): Line {
  const runs: Run[] = [];
  for (let column = 0; column < (line?.length ?? 0); column += 1) {
    const cell = line?.getCell(column);
    // the second half of a wide letter
    if (cell === undefined || cell.getWidth() === 0) continue;
    const look = lookOf(cell);
    const text = cell.isInvisible() ? " " : cell.getChars() || " ";
    const last = runs.at(-1);
    if (last !== undefined && Bun.deepEquals(last.look, look))
      runs[runs.length - 1] = {
        ...last,
        columns: last.columns + cell.getWidth(),
        text: last.text + text,
      };
    else runs.push({ column, columns: cell.getWidth(), text, look });
  }
  return runs.flatMap(wordsOf);
}

/** Words that a gap parts are runs of their own: no reader can close the gap. What is coloured behind stays whole. */
function wordsOf({ column, text, columns, look }: Run): Run[] {
  if (look.paper !== null) return [{ column, text, columns, look }];
  return Array.from(text.matchAll(/\S+(?: \S+)*/g), (found) => ({
    column: column + Bun.stringWidth(text.slice(0, found.index)),
    columns: Bun.stringWidth(found[0]),
    text: found[0],
    look,
  }));
}

function lookOf(cell: IBufferCell): Look {
  const front = cell.isFgDefault()
    ? null
    : cell.isFgRGB()
      ? rgbColor(cell.getFgColor())
      : paletteColor(cell.getFgColor());
  const back = cell.isBgDefault()
    ? null
    : cell.isBgRGB()
      ? rgbColor(cell.getBgColor())
      : paletteColor(cell.getBgColor());
  const isInverse = cell.isInverse() !== 0;
  return {
    ink: isInverse ? (back ?? screenColors.paper) : (front ?? screenColors.ink),
    paper: isInverse ? (front ?? screenColors.ink) : back,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
    italic: cell.isItalic() !== 0,
    underline: cell.isUnderline() !== 0,
  };
}
