import type { Address, Sighting } from "../sighting.ts";
import { compareAddresses, hostAddress, isLinkLocal } from "./address.ts";
import { nameKey, type ResourceRecord } from "./message.ts";

/** What nodes announce; ends every instance's name. */
export const serviceType = "_berry._tcp.local";

export interface Question {
  readonly name: string;
  readonly type: "PTR" | "SRV" | "TXT" | "A" | "AAAA";
}

/** One instance, as one host tells of it on one link. */
export interface View {
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly Address[];
  readonly txt: ReadonlyMap<string, string>;
}

const maximumAddresses = 16;

/**
 * What the records of one host, heard on one link, say of nodes (RFC 6763, sections 4 to 6).
 * @returns `missing`: what to ask for what was announced, but cannot be reached or told yet
 */
export function readViews(
  records: readonly ResourceRecord[],
  link: string,
): { readonly views: readonly View[]; readonly missing: readonly Question[] } {
  const find = <Type extends ResourceRecord["type"]>(name: string, type: Type) =>
    records.filter(
      (record): record is ResourceRecord & { type: Type } =>
        record.type === type && nameKey(record.name) === nameKey(name),
    );
  const missing: Question[] = [];
  const views: View[] = [];
  for (const { target: name } of find(serviceType, "PTR")) {
    const instance = instanceOf(name);
    if (instance === null) continue;
    const services = find(name, "SRV");
    const service = services.findLast(({ port, target }) => port > 0 && hostOf(target) !== null);
    const texts = find(name, "TXT").at(-1);
    if (services.length === 0) missing.push({ name, type: "SRV" });
    if (texts === undefined) missing.push({ name, type: "TXT" });
    if (service === undefined) continue;
    const { target, port } = service;
    const addresses = [...find(target, "A"), ...find(target, "AAAA")]
      .map(({ address }) => hostAddress(address, link))
      .filter((address) => address !== null);
    if (addresses.length === 0) missing.push({ name: target, type: "A" }, { name: target, type: "AAAA" });
    else
      views.push({
        instance,
        host: hostOf(target) ?? "",
        port,
        addresses,
        txt: readTexts(texts?.strings ?? []),
      });
  }
  return { views, missing };
}

/** `berry on pi1` of `berry on pi1._berry._tcp.local`; null: it is no instance of a node. */
function instanceOf(name: string): string | null {
  const end = name.length - serviceType.length - 1;
  return end > 0 && nameKey(name.slice(end)) === `.${serviceType}` ? name.slice(0, end) : null;
}

/** `pi1` of `pi1.local`; null: it is no name of multicast DNS. */
function hostOf(target: string): string | null {
  return nameKey(target).endsWith(".local") && target.length > 6 ? target.slice(0, -6) : null;
}

/** RFC 6763, section 6.4: keys have no case, and the first of a kind counts. */
export function readTexts(strings: readonly string[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const text of strings) {
    const at = text.indexOf("=");
    const key = nameKey(text.slice(0, at));
    if (at > 0 && !texts.has(key)) texts.set(key, text.slice(at + 1));
  }
  return texts;
}

/**
 * What is said of one instance by all hosts and on all links. Two boards of one name stay two: on different links
 * nobody notices that both are called pi1. The first one has the name for itself, others with their serial in brackets.
 * @param earlier what has been told of the instance; a board keeps the name that it had then
 */
export function mergeViews(views: readonly View[], earlier: readonly Sighting[]): Sighting[] {
  const boards = new Map<string, View[]>();
  const nameless: View[] = [];
  for (const view of views) {
    const serial = view.txt.get("serial") ?? "";
    if (serial === "") nameless.push(view);
    else boards.set(serial, [...(boards.get(serial) ?? []), view]);
  }
  // An answer without the TXT record belongs to the board of the same host name.
  for (const view of nameless) {
    const same = [...boards.values()].find((board) => board.some(({ host }) => host === view.host));
    if (same === undefined) boards.set("", [...(boards.get("") ?? []), view]);
    else same.push(view);
  }
  const names = new Map(
    earlier
      .map(({ serial, instance }) => [serial ?? "", instance] as const)
      .filter(([serial]) => boards.has(serial)),
  );
  return [...boards].flatMap(([serial, board]) => {
    const sighting = sightingOf(board);
    if (sighting === null) return [];
    const isTaken = [...names.values()].includes(sighting.instance);
    const instance = names.get(serial) ?? (isTaken ? `${sighting.instance} (${serial})` : sighting.instance);
    names.set(serial, instance);
    return [{ ...sighting, instance }];
  });
}

function sightingOf(views: readonly View[]): Sighting | null {
  const fullest = views.find(({ txt }) => txt.size > 0) ?? views[0];
  if (fullest === undefined) return null;
  const addresses = new Map<string, Address>();
  for (const address of views.flatMap((view) => view.addresses)) {
    // one routable address may be seen through two interfaces, a link-local one is another host's on each
    const key = isLinkLocal(address.address) ? `${address.address}%${address.zone}` : address.address;
    if (!addresses.has(key)) addresses.set(key, address);
  }
  const said = (key: string) => fullest.txt.get(key) || null;
  return {
    instance: fullest.instance,
    host: fullest.host,
    addresses: [...addresses.values()].sort(compareAddresses).slice(0, maximumAddresses),
    port: fullest.port,
    serial: said("serial"),
    model: said("model"),
    role: said("role"),
    version: said("version"),
    source: "mdns",
  };
}
