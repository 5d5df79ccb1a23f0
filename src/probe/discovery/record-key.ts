import { nameKey, type ResourceRecord } from "./message.ts";

/** Of one record: the same for whatever repeats it. */
export function recordKey(record: ResourceRecord): string {
  return `${setKey(record)} ${JSON.stringify(contentOf(record))}`;
}

/** Of all records of a name and a type. */
export function setKey({ type, name }: { readonly type: string; readonly name: string }): string {
  return `${type} ${nameKey(name)}`;
}

function contentOf(record: ResourceRecord): readonly (string | number)[] {
  switch (record.type) {
    case "PTR":
      return [nameKey(record.target)];
    case "SRV":
      return [record.port, nameKey(record.target)];
    case "TXT":
      return record.strings;
    case "A":
    case "AAAA":
      return [record.address];
  }
}
