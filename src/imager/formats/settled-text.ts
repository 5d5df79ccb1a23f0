const secondsPerDay = 86_400;

/** A package's `desc` of pacman's database, installed no later than the epoch. */
export function settledDescription(text: string, epochSeconds: number): string {
  return text.replace(/^(%INSTALLDATE%\n)(\d+)$/m, (whole, head: string, date: string) =>
    Number(date) > epochSeconds ? `${head}${epochSeconds}` : whole,
  );
}

/** shadow(5): no password was changed later than on the epoch's day. */
export function settledShadow(text: string, epochSeconds: number): string {
  const day = Math.floor(epochSeconds / secondsPerDay);
  return text
    .split("\n")
    .map((line) => {
      const fields = line.split(":");
      if (Number(fields[2] || "0") <= day) return line;
      return fields.with(2, String(day)).join(":");
    })
    .join("\n");
}
