import { type LabNode, type MdnsLab, openLab } from "../../fixtures/mdns-lab.ts";
import { servePage } from "../../fixtures/node-page.ts";

const neighbour = (number: number, hostName: string): LabNode => ({
  name: hostName,
  hostName,
  subnet: 0,
  number,
  txt: [`serial=100000000000000${number}`, "model=Raspberry Pi 4 Model B", "role=node", "version=0.1.0"],
});
/** Who is announced, but has no page. */
const ghost = neighbour(2, "pi2");
/** Who has a page: 47 °C. */
const stranger = neighbour(3, "attic");

/** The interface that an emulated machine is plugged into. */
export const tap = "tap0";

/** A network on which avahi announces pi2, which does not answer, and attic, which does. */
export async function openNeighbourhood(signal: AbortSignal): Promise<MdnsLab> {
  await using undo = new AsyncDisposableStack();
  const lab = undo.use(
    await openLab({ subnets: 1, nodes: [ghost, stranger], taps: [{ name: tap, subnet: 0 }] }, signal),
  );
  await Promise.all([
    ...[ghost, stranger].map((each) => lab.announce(each, signal)),
    servePage(lab, stranger.name, [stranger.hostName, "47"]),
  ]);
  const owned = undo.move();
  return { ...lab, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const placeOf = ({ number }: LabNode) =>
  [{ address: `10.77.0.${number}`, family: 4, interface: "lan0" }] as const;

/** What `berry probe -o json` has to say of them, where berry.toml names pi2 alone. */
export const neighbourRows = [
  {
    ...{ name: "attic", state: "unknown", addresses: placeOf(stranger), temperature_celsius: 47 },
    serial: "1000000000000003",
  },
  {
    ...{ name: "pi2", state: "dead", addresses: placeOf(ghost), temperature_celsius: null },
    serial: "1000000000000002",
  },
] as const;
