/**
 * What config.txt says to the firmware of a Raspberry Pi (documentation: "config.txt", "Conditional filters", "Device
 * Trees, overlays and parameters").
 */
export interface ConfigTxtLine {
  /** As it stands there, without spaces around it. */
  readonly text: string;
  /** Whether it is for this board; null: that depends on something else, such as a monitor or a pin. */
  readonly applies: boolean | null;
  /** Of the filter above it, such as `[cm5]`; null: none. */
  readonly filter: string | null;
}

export interface OverlayLine extends ConfigTxtLine {
  readonly overlay: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** What the filters for models stand for, by what boards call themselves. */
const models: Readonly<Record<string, RegExp>> = {
  pi0: /Pi Zero/,
  pi0w: /Pi Zero W/,
  pi02: /Pi Zero 2/,
  pi1: /Pi (?:Model|Compute Module Rev)/,
  cm1: /Pi Compute Module Rev/,
  pi2: /Pi 2 /,
  pi3: /Pi (?:3 |Compute Module 3)/,
  "pi3+": /Pi 3 Model [AB] Plus/,
  cm3: /Compute Module 3 Rev/,
  "cm3+": /Compute Module 3 Plus/,
  pi4: /Pi (?:4 |400|Compute Module 4)/,
  pi400: /Pi 400/,
  cm4: /Compute Module 4 /,
  cm4s: /Compute Module 4S/,
  pi5: /Pi (?:5 |500|Compute Module 5)/,
  pi500: /Pi 500/,
  cm5: /Compute Module 5/,
};

/** @param text of config.txt, with what it includes @param model as the board calls itself; null: not known */
export function parseConfigTxt(text: string, model: string | null): readonly ConfigTxtLine[] {
  const lines: ConfigTxtLine[] = [];
  let [filter, isModel, isOther]: [string | null, boolean | null, boolean | null] = [null, true, true];
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    const section = /^\[(.*)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      filter = line;
      const meant = models[section.toLowerCase()];
      if (section === "all") [isModel, isOther] = [true, true];
      else if (section === "none") isOther = false;
      else if (meant !== undefined) isModel = model === null ? null : meant.test(model);
      else isOther = isOther === false ? false : null;
    } else if (line !== "" && !line.startsWith("#")) {
      const applies = isModel === false || isOther === false ? false : isModel === null ? null : isOther;
      lines.push({ text: line, applies, filter });
    }
  }
  return lines;
}

/** The lines that load an overlay, with what they are given, on lines of their own, too. */
export function overlaysOf(lines: readonly ConfigTxtLine[]): readonly OverlayLine[] {
  const overlays: (OverlayLine & { readonly parameters: Map<string, string> })[] = [];
  let isOpen = false;
  for (const line of lines) {
    const [, key, value = ""] = /^(dtoverlay|dtparam)\s*=\s*(.*)$/.exec(line.text) ?? [];
    if (key === "dtoverlay") {
      const [overlay = "", ...parameters] = value.split(/[,:]/);
      isOpen = overlay !== "";
      if (isOpen) overlays.push({ ...line, overlay, parameters: new Map(parameters.map(pair)) });
    } else if (key === "dtparam" && isOpen) {
      for (const [name, given] of value.split(",").map(pair)) overlays.at(-1)?.parameters.set(name, given);
    }
  }
  return overlays;
}

/** What is set by `dtparam`; the last of them wins, a name alone is `on`. null: nothing, or not for this board. */
export function parameterOf(lines: readonly ConfigTxtLine[], name: string): string | null {
  return (
    lines
      .filter(({ applies }) => applies !== false)
      .flatMap(({ text }) => /^dtparam\s*=\s*(.*)$/.exec(text)?.[1]?.split(",") ?? [])
      .map(pair)
      .findLast(([key]) => key === name)?.[1] ?? null
  );
}

function pair(text: string): readonly [name: string, value: string] {
  const [name = "", value = "on"] = text.split("=", 2);
  return [name.trim(), value.trim()];
}
