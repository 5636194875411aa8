import { isIP } from "node:net";
import type { JsonGeneralName, JsonName } from "@peculiar/x509";
import { reveal } from "../rpc/fields";
import { isPropertyMap, type PropertyMap, type PropertyValue } from "../rpc/values";

/** Attributes of a subject, in the order in which they are written. */
const ATTRIBUTES: [property: string, identifier: string][] = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "1.2.840.113549.1.9.1"],
];

export function subjectName(subject: PropertyValue | undefined): JsonName {
  if (!isPropertyMap(subject)) return [];
  return ATTRIBUTES.flatMap(([property, identifier]) =>
    texts(subject[property]).map((value) => ({ [identifier]: [value] })),
  );
}

export function unknownSubjectAttributes(subject: PropertyValue | undefined): string[] {
  const known = new Set(ATTRIBUTES.map(([property]) => property));
  return isPropertyMap(subject)
    ? Object.keys(subject).filter((name) => !known.has(name) && !name.startsWith("__"))
    : [];
}

export function alternativeNames(values: PropertyMap): JsonGeneralName[] {
  return [
    ...texts(values.dnsNames).map((value) => ({ type: "dns", value }) as const),
    ...texts(values.ipAddresses).map((value) => ({ type: "ip", value }) as const),
    ...texts(values.uris).map((value) => ({ type: "url", value }) as const),
  ];
}

export function badAddresses(values: PropertyMap): string[] {
  return texts(values.ipAddresses).filter((address) => !isIP(address));
}

/** A text or a list of texts as a list; empty texts are none. */
export function texts(value: PropertyValue | undefined): string[] {
  const plain = reveal(value);
  const list = Array.isArray(plain) ? plain : [plain];
  return list.filter((item): item is string => typeof item === "string" && item !== "");
}
