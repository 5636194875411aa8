import { createPrivateKey, X509Certificate } from "node:crypto";
import { z } from "zod";
import { controllerIdentity, keyLabel, sealingNamespace } from "../../components/addons/sealedSecrets/names";
import { selectorLabels } from "../../components/labels";
import { UserError } from "../engine/report";
import type { FullApi } from "../release/api";

const secretsPath = `/api/v1/namespaces/${sealingNamespace}/secrets`;
const podsPath = `/api/v1/namespaces/${sealingNamespace}/pods`;

const pem = z.string().min(1);
/** A key as it lies in the cluster: a Secret of type kubernetes.io/tls. */
const keySchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/),
  /** What the label says: `active`, or `compromised` for one that is no longer used. */
  state: z.string(),
  certificate: pem,
  privateKey: pem,
});
export type SealingKey = z.infer<typeof keySchema>;
const keysSchema = z.array(keySchema).min(1);

const secretSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
  data: z.record(z.string(), z.string()).optional(),
});
const listSchema = z.looseObject({ items: z.array(secretSchema) });

/** The keys of a cluster, oldest first. @throws UserError when there is none, or one is no key */
export async function readKeys(api: Pick<FullApi, "get">): Promise<SealingKey[]> {
  const query = new URLSearchParams({ labelSelector: keyLabel });
  const listed = listSchema.safeParse(await api.get(`${secretsPath}?${query}`));
  const keys = (listed.data?.items ?? []).map(keyOf);
  if (keys.length === 0) throw new UserError("There is no key for sealed Secrets in the cluster.");
  return keys.sort((a, b) => +validFrom(a) - +validFrom(b));
}

function keyOf({ metadata, data = {} }: z.infer<typeof secretSchema>): SealingKey {
  const decoded = (field: string) => Buffer.from(data[field] ?? "", "base64").toString("utf8");
  const state = metadata.labels?.[keyLabel] ?? "active";
  return checked({
    name: metadata.name,
    state,
    certificate: decoded("tls.crt"),
    privateKey: decoded("tls.key"),
  });
}

/** @throws UserError, which names the key and shows nothing of it, when certificate and key do not belong together */
function checked(key: SealingKey): SealingKey {
  let fits: boolean;
  try {
    fits = new X509Certificate(key.certificate).checkPrivateKey(createPrivateKey(key.privateKey));
  } catch {
    fits = false;
  }
  if (!fits) throw new UserError(`${key.name} is not a key with the certificate that belongs to it.`);
  return key;
}

/** What is kept of keys. */
export const keysToBytes = (keys: readonly SealingKey[]): Buffer => Buffer.from(JSON.stringify(keys));

/** The same back. @throws UserError when there is anything in it but keys */
export function keysFromBytes(content: Buffer, file: string): SealingKey[] {
  const parsed = keysSchema.safeParse(JSON.parse(content.toString("utf8")));
  if (!parsed.success) throw new UserError(`${file} holds something else than sealing keys.`);
  return parsed.data.map(checked);
}

export interface Restored {
  readonly made: readonly string[];
  readonly there: readonly string[];
}

/**
 * Puts keys back into a cluster, which keeps its own, and has the controller start anew where there is a new one: it
 * reads its keys when it starts, and then unseals everything.
 * @throws UserError, before anything is changed, when a key is there under the same name and is another
 */
export async function restoreKeys(api: FullApi, keys: readonly SealingKey[]): Promise<Restored> {
  const missing: SealingKey[] = [];
  for (const key of keys) {
    const found = await api.get(`${secretsPath}/${key.name}`);
    if (found === undefined) missing.push(key);
    else if (!sameKey(keyOf(secretSchema.parse(found)), key)) {
      throw new UserError(
        `The cluster has another key under the name ${key.name}; nothing was changed. ` +
          `Look at it: kubectl -n ${sealingNamespace} describe secret ${key.name}`,
      );
    }
  }
  for (const key of missing) await api.create(secretsPath, secretOf(key));
  if (missing.length > 0) await restartController(api);
  const made = missing.map(({ name }) => name);
  return { made, there: keys.map(({ name }) => name).filter((name) => !made.includes(name)) };
}

function secretOf({ name, state, certificate, privateKey }: SealingKey): object {
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: sealingNamespace, labels: { [keyLabel]: state } },
    type: "kubernetes.io/tls",
    data: { "tls.crt": encoded(certificate), "tls.key": encoded(privateKey) },
  };
}

async function restartController(api: FullApi): Promise<void> {
  const selector = Object.entries(selectorLabels(controllerIdentity)).map(
    ([key, value]) => `${key}=${value}`,
  );
  const query = new URLSearchParams({ labelSelector: selector.join(",") });
  const { items } = listSchema.parse((await api.get(`${podsPath}?${query}`)) ?? { items: [] });
  for (const { metadata } of items) await api.remove(`${podsPath}/${metadata.name}`);
}

const sameKey = (one: SealingKey, other: SealingKey): boolean =>
  fingerprintOf(one) === fingerprintOf(other) && one.privateKey.trim() === other.privateKey.trim();

export const fingerprintOf = ({ certificate }: SealingKey): string =>
  new X509Certificate(certificate).fingerprint256;

export const validFrom = ({ certificate }: SealingKey): Date =>
  new Date(new X509Certificate(certificate).validFrom);
