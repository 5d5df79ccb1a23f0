/** The sixteen of ANSI, chosen for the dark screen: each has a contrast of 5 and more on it, but for black. */
const named = [
  ...["#4b5263", "#f4777f", "#8fd694", "#f2c76e", "#82aaff", "#cf9bf0", "#74d3e0", "#d7dce2"],
  ...["#7d8590", "#ff8f96", "#a8e6ac", "#ffdc8f", "#a3c2ff", "#dfb8f8", "#97e4ee", "#ffffff"],
] as const;

/** Of a palette of 256: sixteen with names, a cube of 6 × 6 × 6, and 24 greys. @returns `#rrggbb` */
export function paletteColor(number: number): string {
  const name = named[number];
  if (name !== undefined) return name;
  if (number >= 232) return rgbColor((8 + 10 * (number - 232)) * 0x010101);
  const level = (digit: number) => (digit === 0 ? 0 : 55 + 40 * digit);
  const cube = number - 16;
  const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level);
  return rgbColor(((red ?? 0) << 16) | ((green ?? 0) << 8) | (blue ?? 0));
}

/** @param value 0xRRGGBB */
export function rgbColor(value: number): string {
  return `#${value.toString(16).padStart(6, "0")}`;
}
