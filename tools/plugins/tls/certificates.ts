import "reflect-metadata";
import { createPublicKey, randomBytes } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { flag, integer, reveal, text, type Fields } from "../rpc/fields";
import type { Generated, Kind } from "../rpc/kind";
import type { CheckFailure } from "../rpc/provider";
import type { PropertyMap } from "../rpc/values";
import { keyAlgorithm, readPrivateKey } from "./keys";
import { alternativeNames, badAddresses, subjectName, texts, unknownSubjectAttributes } from "./names";
import { signingKeys, type SigningKeys } from "./signing";
import { allUsages, extendedUsages, keyUsageFlags, unknownUsages } from "./usages";

const HOUR_MILLISECONDS = 3600 * 1000;

const SUBJECT_FIELDS: Fields = {
  /** Attributes such as commonName and organization. */
  subject: { type: "map" },
  dnsNames: { type: "list" },
  ipAddresses: { type: "list" },
  uris: { type: "list" },
};

const VALIDITY_FIELDS: Fields = {
  validityPeriodHours: { type: "integer", required: true, min: 1 },
  /** How long before its end the certificate is made anew. */
  earlyRenewalHours: { type: "integer", default: 0, min: 0 },
  allowedUses: { type: "list", required: true },
  isCaCertificate: { type: "boolean", default: false },
  /** How many more authorities may follow below this one; -1 is no limit. */
  maxPathLength: { type: "integer", min: -1 },
  setSubjectKeyId: { type: "boolean", default: false },
};

const CERTIFICATE_OUTPUTS = ["certPem", "readyForRenewal", "validityStartTime", "validityEndTime"];

export const certRequest: Kind = {
  fields: { privateKeyPem: { type: "string", required: true }, ...SUBJECT_FIELDS },
  computed: ["certRequestPem", "keyAlgorithm"],
  secrets: ["privateKeyPem"],
  failures: subjectFailures,
  generate: async (values) => {
    const key = readPrivateKey(text(values, "privateKeyPem"), "privateKeyPem");
    const { privateKey, publicKey, algorithm } = await signingKeys(key);
    const names = alternativeNames(values);
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: subjectName(reveal(values.subject)),
      keys: { privateKey, publicKey },
      signingAlgorithm: algorithm,
      extensions: names.length ? [new x509.SubjectAlternativeNameExtension(names)] : [],
    });
    const certRequestPem = `${request.toString("pem")}\n`;
    return { id: serialNumber().decimal, outputs: { certRequestPem, keyAlgorithm: keyAlgorithm(key) } };
  },
};

export const selfSignedCert: Kind = {
  fields: {
    privateKeyPem: { type: "string", required: true },
    ...SUBJECT_FIELDS,
    ...VALIDITY_FIELDS,
    setAuthorityKeyId: { type: "boolean", default: false },
  },
  changeable: ["earlyRenewalHours"],
  computed: [...CERTIFICATE_OUTPUTS, "keyAlgorithm"],
  secrets: ["privateKeyPem"],
  failures: (values) => [
    ...subjectFailures(values),
    ...usageFailures(values),
    ...(flag(values, "isCaCertificate") && !subjectName(reveal(values.subject)).length
      ? [
          {
            property: "subject",
            reason: "a certificate authority needs a subject with at least one attribute",
          },
        ]
      : []),
  ],
  expired,
  generate: async (values) => {
    const key = readPrivateKey(text(values, "privateKeyPem"), "privateKeyPem");
    const keys = await signingKeys(key);
    const subject = subjectName(reveal(values.subject));
    const subjectKeyId = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey);
    const { id, outputs } = await issue(values, {
      subject,
      issuer: subject,
      names: alternativeNames(values),
      publicKey: keys.publicKey,
      signer: keys,
      authorityKeyId: flag(values, "setAuthorityKeyId") ? subjectKeyId.keyId : undefined,
    });
    return { id, outputs: { ...outputs, keyAlgorithm: keyAlgorithm(key) } };
  },
};

export const locallySignedCert: Kind = {
  fields: {
    certRequestPem: { type: "string", required: true },
    caCertPem: { type: "string", required: true },
    caPrivateKeyPem: { type: "string", required: true },
    ...VALIDITY_FIELDS,
  },
  changeable: ["earlyRenewalHours"],
  computed: [...CERTIFICATE_OUTPUTS, "caKeyAlgorithm"],
  secrets: ["caPrivateKeyPem"],
  failures: usageFailures,
  expired,
  generate: async (values) => {
    const caKey = readPrivateKey(text(values, "caPrivateKeyPem"), "caPrivateKeyPem");
    const ca = parse("caCertPem", () => new x509.X509Certificate(text(values, "caCertPem")));
    const request = parse(
      "certRequestPem",
      () => new x509.Pkcs10CertificateRequest(text(values, "certRequestPem")),
    );
    const caPublic = createPublicKey(caKey).export({ type: "spki", format: "der" });
    if (!caPublic.equals(Buffer.from(ca.publicKey.rawData))) {
      throw new Error("caPrivateKeyPem is not the key of the certificate in caCertPem");
    }
    if (!(await request.verify()))
      throw new Error("the signature of the request in certRequestPem is not valid");
    const { id, outputs } = await issue(values, {
      subject: request.subjectName.toJSON(),
      issuer: ca.subjectName.toJSON(),
      names: requestedNames(request),
      publicKey: await request.publicKey.export(),
      signer: await signingKeys(caKey),
      authorityKeyId: ca.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId,
    });
    return { id, outputs: { ...outputs, caKeyAlgorithm: keyAlgorithm(caKey) } };
  },
};

function requestedNames(request: x509.Pkcs10CertificateRequest): x509.JsonGeneralName[] {
  const extension = request.extensions.find((each) => each instanceof x509.SubjectAlternativeNameExtension);
  return extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.toJSON() : [];
}

interface Issue {
  readonly subject: x509.JsonName;
  readonly issuer: x509.JsonName;
  readonly names: x509.JsonGeneralName[];
  readonly publicKey: CryptoKey;
  readonly signer: SigningKeys;
  readonly authorityKeyId: string | undefined;
}

type CryptoKey = SigningKeys["publicKey"];

async function issue(values: PropertyMap, certificate: Issue): Promise<Generated> {
  const start = new Date(Math.floor(Date.now() / 1000) * 1000); // certificates know whole seconds only
  const end = new Date(start.getTime() + integer(values, "validityPeriodHours") * HOUR_MILLISECONDS);
  const serial = serialNumber();
  const signed = await x509.X509CertificateGenerator.create({
    serialNumber: serial.hex,
    subject: certificate.subject,
    issuer: certificate.issuer,
    notBefore: start,
    notAfter: end,
    publicKey: certificate.publicKey,
    signingKey: certificate.signer.privateKey,
    signingAlgorithm: certificate.signer.algorithm,
    extensions: await extensions(values, certificate),
  });
  return {
    id: serial.decimal,
    outputs: {
      certPem: `${signed.toString("pem")}\n`,
      readyForRenewal: false,
      validityStartTime: timestamp(start),
      validityEndTime: timestamp(end),
    },
  };
}

async function extensions(values: PropertyMap, certificate: Issue): Promise<x509.Extension[]> {
  const uses = texts(values.allowedUses);
  const isCa = flag(values, "isCaCertificate");
  const limit = reveal(values.maxPathLength) === undefined ? -1 : integer(values, "maxPathLength");
  const [flags, extended] = [keyUsageFlags(uses), extendedUsages(uses)];
  const list: x509.Extension[] = [];
  if (flags) list.push(new x509.KeyUsagesExtension(flags, true));
  if (extended.length) list.push(new x509.ExtendedKeyUsageExtension(extended));
  list.push(new x509.BasicConstraintsExtension(isCa, isCa && limit >= 0 ? limit : undefined, true));
  if (isCa || flag(values, "setSubjectKeyId")) {
    list.push(await x509.SubjectKeyIdentifierExtension.create(certificate.publicKey));
  }
  if (certificate.authorityKeyId)
    list.push(new x509.AuthorityKeyIdentifierExtension(certificate.authorityKeyId));
  if (certificate.names.length) {
    // Without a subject the alternative names are all that identifies the holder.
    list.push(new x509.SubjectAlternativeNameExtension(certificate.names, !certificate.subject.length));
  }
  return list;
}

/** Whether the certificate has ended, or is close enough to its end to be made anew. */
function expired(values: PropertyMap): string | undefined {
  const end = Date.parse(text(values, "validityEndTime"));
  const renewal = end - integer(values, "earlyRenewalHours") * HOUR_MILLISECONDS;
  return renewal <= Date.now() || flag(values, "readyForRenewal") ? "readyForRenewal" : undefined;
}

function subjectFailures(values: PropertyMap): CheckFailure[] {
  return [
    ...unknownSubjectAttributes(reveal(values.subject)).map((name) => ({
      property: `subject.${name}`,
      reason: `${name} is not an attribute of a subject`,
    })),
    ...badAddresses(values).map((address) => ({
      property: "ipAddresses",
      reason: `"${address}" is not an IP address`,
    })),
  ];
}

function usageFailures(values: PropertyMap): CheckFailure[] {
  return unknownUsages(texts(values.allowedUses)).map((use) => ({
    property: "allowedUses",
    reason: `"${use}" is not a use; it takes ${allUsages().join(", ")}`,
  }));
}

/** 126 random bits: positive, never zero in front, and under the 20 bytes that RFC 5280 allows. */
function serialNumber(): { hex: string; decimal: string } {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  const hex = bytes.toString("hex");
  return { hex, decimal: BigInt(`0x${hex}`).toString() };
}

function timestamp(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}

function parse<T>(property: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new Error(`${property} is not what its name says, in PEM format`);
  }
}
