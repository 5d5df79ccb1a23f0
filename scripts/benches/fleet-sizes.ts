/** How many nodes the fleets of the bench have. */
export const fleetSizes = [1, 5, 20] as const;

/** The case of so many nodes, among the figures. */
export function fleetVariant(size: (typeof fleetSizes)[number]): string {
  return size === 1 ? "1 node" : `${size} nodes`;
}
