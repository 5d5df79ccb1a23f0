import type { Address } from "../sighting.ts";
import { hostAddress } from "./address.ts";
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
  /** Address of the host that tells it, with a zone where it has one; null: not known. */
  readonly sender: string | null;
}

/**
 * What the records of one host, heard on one link, say of nodes (RFC 6763, sections 4 to 6).
 * @returns `missing`: what to ask for what was announced, but cannot be reached or told yet
 */
export function readViews(
  records: readonly ResourceRecord[],
  link: string,
  sender: string,
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
        sender,
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
