import { X509Certificate, type KeyObject } from "node:crypto";
import { controllerName, sealingNamespace } from "../../components/addons/sealedSecrets/names";
import { UserError } from "../engine/report";
import type { Api } from "../release/api";

const address = `/api/v1/namespaces/${sealingNamespace}/services/${controllerName}:http/proxy/v1/cert.pem`;

/** What values are sealed with; anybody may have it. */
export interface SealingCertificate {
  readonly pem: string;
  readonly publicKey: KeyObject;
  /** SHA-256 of the certificate, by which people compare it. */
  readonly fingerprint: string;
  readonly validTo: Date;
}

/**
 * The certificate of the controller's newest key, through the API server.
 * @throws UserError when there is no controller; what the API server says otherwise
 */
export async function fetchCertificate(api: Pick<Api, "get">, now: Date): Promise<SealingCertificate> {
  const answer = await api.get(address);
  if (answer === undefined) throw new UserError("There is no controller for sealed Secrets in the cluster.");
  return readCertificate(typeof answer === "string" ? answer : "", "what the controller answers", now);
}

/**
 * Reads a certificate that can be sealed with.
 * @param what names where it comes from
 * @throws UserError when it is none, is over, or has a key that is too short
 */
export function readCertificate(pem: string, what: string, now: Date): SealingCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new UserError(`${what} is no certificate in PEM.`);
  }
  const { publicKey, fingerprint256 } = certificate;
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (publicKey.asymmetricKeyType !== "rsa" || bits < 2048) {
    throw new UserError(
      `${what} is no certificate of the controller's: its key is not RSA of 2048 bits or more.`,
    );
  }
  const validTo = new Date(certificate.validTo);
  if (validTo < now) {
    throw new UserError(
      `${what} is valid until ${day(validTo)} only. Ask for the newest: npm run secrets -- certificate`,
    );
  }
  return { pem: certificate.toString(), publicKey, fingerprint: fingerprint256, validTo };
}

export const day = (date: Date): string => date.toISOString().slice(0, 10);
