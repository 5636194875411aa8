import {
  X509Certificate,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
} from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { exec } from "./exec";
import { writeAtomically } from "./files";
import { network } from "./network";

export interface CertificateRequest {
  /** Base name of the `.crt` and `.key` files. */
  readonly name: string;
  readonly authority: "ca" | "front-proxy-ca" | "etcd-ca";
  readonly commonName: string;
  readonly organization?: string;
  /** Subject alternative names such as `DNS:localhost`; a certificate without any is for clients only. */
  readonly names?: readonly string[];
}

const localNames = ["DNS:localhost", "IP:127.0.0.1", `IP:${network.nodeAddress}`];

export const certificates: readonly CertificateRequest[] = [
  {
    name: "apiserver",
    authority: "ca",
    commonName: "kube-apiserver",
    names: [
      ...localNames,
      "DNS:kubernetes",
      "DNS:kubernetes.default",
      "DNS:kubernetes.default.svc",
      `DNS:kubernetes.default.svc.${network.domain}`,
      `DNS:${network.nodeName}`,
      `IP:${network.apiService}`,
    ],
  },
  {
    name: "kubelet",
    authority: "ca",
    commonName: `system:node:${network.nodeName}`,
    organization: "system:nodes",
    names: [...localNames, `DNS:${network.nodeName}`],
  },
  {
    name: "controller-manager",
    authority: "ca",
    commonName: "system:kube-controller-manager",
    names: localNames,
  },
  { name: "scheduler", authority: "ca", commonName: "system:kube-scheduler", names: localNames },
  { name: "kube-proxy", authority: "ca", commonName: "system:kube-proxy" },
  { name: "kube-router", authority: "ca", commonName: "technova:kube-router" },
  { name: "admin", authority: "ca", commonName: "technova-admin", organization: "system:masters" },
  { name: "apiserver-kubelet-client", authority: "ca", commonName: "kube-apiserver-kubelet-client" },
  { name: "front-proxy-client", authority: "front-proxy-ca", commonName: "front-proxy-client" },
  { name: "etcd", authority: "etcd-ca", commonName: "etcd", names: localNames },
  { name: "apiserver-etcd-client", authority: "etcd-ca", commonName: "kube-apiserver-etcd-client" },
];

const authorities: Readonly<Record<CertificateRequest["authority"], string>> = {
  ca: "technova-kubernetes-ca",
  "front-proxy-ca": "technova-front-proxy-ca",
  "etcd-ca": "technova-etcd-ca",
};

/** In the same folder as the keys. */
export const encryptionFile = "encryption.yaml";

const authorityDays = 3650;
const certificateDays = 365;
/** A certificate that ends within this many days is made anew by the next `up`. */
const renewBeforeDays = 60;

/** Makes what is missing, foreign to its authority, or about to expire. Keys are ECDSA P-256, mode 0600. */
export async function ensurePki(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, commonName] of Object.entries(authorities))
    await ensureAuthority(folder, name, commonName);
  await Promise.all(certificates.map((request) => ensureCertificate(folder, request)));
  if (!existsSync(join(folder, "service-account.key"))) {
    writeKey(join(folder, "service-account.key"));
  }
  ensureEncryptionKey(join(folder, encryptionFile));
  const key = createPrivateKey(readFileSync(join(folder, "service-account.key")));
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" });
  writeAtomically(join(folder, "service-account.pub"), publicKey);
}

/** What the API server encrypts Secrets with before they reach etcd. It stays, or they could not be read any more. */
function ensureEncryptionKey(path: string): void {
  if (existsSync(path)) return;
  const keys = [{ name: "first", secret: randomBytes(32).toString("base64") }];
  const configuration = {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
    // The second provider reads what was written before there was a key.
    resources: [{ resources: ["secrets"], providers: [{ secretbox: { keys } }, { identity: {} }] }],
  };
  writeAtomically(path, stringify(configuration), 0o600);
}

async function ensureAuthority(folder: string, name: string, commonName: string): Promise<void> {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  if (existsSync(key) && isCurrent(certificate, certificate)) return;
  writeKey(key);
  const pem = await exec("openssl", [
    ...["req", "-x509", "-new", "-key", key, "-days", String(authorityDays), "-subj", `/CN=${commonName}`],
    ...["-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign"],
  ]);
  writeAtomically(certificate, pem);
}

async function ensureCertificate(folder: string, request: CertificateRequest): Promise<void> {
  const [key, certificate] = [join(folder, `${request.name}.key`), join(folder, `${request.name}.crt`)];
  const authority = join(folder, request.authority);
  if (existsSync(key) && isCurrent(certificate, `${authority}.crt`)) return;
  writeKey(key);
  const subject = `${request.organization === undefined ? "" : `/O=${request.organization}`}/CN=${request.commonName}`;
  const signingRequest = await exec("openssl", ["req", "-new", "-key", key, "-subj", subject]);
  const extensions = `${certificate}.ext`;
  writeFileSync(extensions, certificateExtensions(request));
  const pem = await exec(
    "openssl",
    [
      ...["x509", "-req", "-CA", `${authority}.crt`, "-CAkey", `${authority}.key`],
      ...["-days", String(certificateDays), "-extfile", extensions],
      ...["-set_serial", `0x${randomSerial()}`],
    ],
    { input: signingRequest },
  );
  rmSync(extensions);
  writeAtomically(certificate, pem);
}

/** openssl's extension file for one certificate. */
export function certificateExtensions(request: CertificateRequest): string {
  const usages = request.names === undefined ? "clientAuth" : "serverAuth,clientAuth";
  return [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature,keyEncipherment",
    `extendedKeyUsage=${usages}`,
    ...(request.names === undefined ? [] : [`subjectAltName=${request.names.join(",")}`]),
    "",
  ].join("\n");
}

function isCurrent(path: string, authority: string): boolean {
  try {
    const certificate = new X509Certificate(readFileSync(path));
    const issuer = new X509Certificate(readFileSync(authority));
    const soon = Date.now() + renewBeforeDays * 24 * 3600 * 1000;
    return Date.parse(certificate.validTo) > soon && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function writeKey(path: string): void {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeAtomically(path, privateKey.export({ type: "pkcs8", format: "pem" }), 0o600);
}

function randomSerial(): string {
  // The leading digit keeps the number positive and of fixed length.
  return `1${Array.from(crypto.getRandomValues(new Uint8Array(15)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
