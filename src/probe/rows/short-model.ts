const gibibyte = 1024 ** 3;

/**
 * What people call a board: `Pi 4B 4GB` of `Raspberry Pi 4 Model B Rev 1.4` and 3.7 GiB; other models as they are.
 * @param memoryBytes what the kernel has of it, which is somewhat less than what is soldered on; null: not known
 */
export function shortModel(model: string, memoryBytes: number | null): string {
  const short = model
    .trim()
    .replace(/\s+Rev\s+[\w.]+$/i, "")
    .replace(/^Raspberry Pi /i, "Pi ")
    .replace(/^Pi (\d+) Model ([AB])( Plus)?/i, (_, number: string, letter: string, plus?: string) => {
      return `Pi ${number}${letter.toUpperCase()}${plus === undefined ? "" : "+"}`;
    })
    .replace(/^Pi Compute Module /i, "CM")
    .replace(/ Plus$/i, "+");
  return memoryBytes === null ? short : `${short} ${soldered(memoryBytes)}`;
}

/** The next size that memory is sold in: the firmware and the kernel keep some for themselves. */
function soldered(bytes: number): string {
  const gibibytes = 2 ** Math.ceil(Math.log2(bytes / gibibyte));
  return gibibytes >= 1 ? `${gibibytes}GB` : `${gibibytes * 1024}MB`;
}
