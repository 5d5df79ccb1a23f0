import type { Extent } from "./image-map.ts";

/** Reads up to `lengthBytes`; less where the image ends. @throws BerryError `io` */
export type ReadBytes = (offsetBytes: number, lengthBytes: number) => Promise<Uint8Array>;

export function extent(offsetBytes: number, lengthBytes: number): Extent {
  return { offsetBytes, lengthBytes };
}

export function endOf({ offsetBytes, lengthBytes }: Extent): number {
  return offsetBytes + lengthBytes;
}

/** The same bytes in order, without overlap, neighbours as one; empty extents are gone. */
export function union(extents: readonly Extent[]): Extent[] {
  const merged: Extent[] = [];
  const sorted = extents.toSorted((one, other) => one.offsetBytes - other.offsetBytes);
  for (const next of sorted) {
    if (next.lengthBytes <= 0) continue;
    const last = merged.at(-1);
    if (last === undefined || next.offsetBytes > endOf(last)) merged.push(next);
    else if (endOf(next) > endOf(last))
      merged[merged.length - 1] = extent(last.offsetBytes, endOf(next) - last.offsetBytes);
  }
  return merged;
}

/** What lies in both; each list in order and without overlap. */
export function intersection(some: readonly Extent[], others: readonly Extent[]): Extent[] {
  const both: Extent[] = [];
  let i = 0;
  let j = 0;
  while (true) {
    const one = some[i];
    const other = others[j];
    if (one === undefined || other === undefined) return both;
    const begin = Math.max(one.offsetBytes, other.offsetBytes);
    const end = Math.min(endOf(one), endOf(other));
    if (end > begin) both.push(extent(begin, end - begin));
    if (endOf(one) < endOf(other)) i += 1;
    else j += 1;
  }
}

/** What of `some` lies in none of `others`; each list in order and without overlap. */
export function difference(some: readonly Extent[], others: readonly Extent[]): Extent[] {
  const last = some.at(-1);
  return last === undefined ? [] : intersection(some, gaps(others, endOf(last)));
}

/** What of the first `sizeBytes` lies in none of the extents, which are in order and without overlap. */
export function gaps(extents: readonly Extent[], sizeBytes: number): Extent[] {
  const between: Extent[] = [];
  let position = 0;
  for (const one of extents) {
    if (one.offsetBytes >= sizeBytes) break;
    if (one.offsetBytes > position) between.push(extent(position, one.offsetBytes - position));
    position = Math.max(position, endOf(one));
  }
  if (position < sizeBytes) between.push(extent(position, sizeBytes - position));
  return between;
}

/** Begins and ends moved outward to multiples of `stepBytes`, but not beyond `sizeBytes`. */
export function alignOutward(extents: readonly Extent[], stepBytes: number, sizeBytes: number): Extent[] {
  return union(
    extents.map((one) => {
      const begin = Math.floor(one.offsetBytes / stepBytes) * stepBytes;
      const end = Math.min(sizeBytes, Math.ceil(endOf(one) / stepBytes) * stepBytes);
      return extent(begin, end - begin);
    }),
  );
}
