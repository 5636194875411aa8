import { flag, reveal, text } from "../rpc/fields";
import type { CreateRequest, DeleteRequest, DiffRequest, ReadRequest } from "../rpc/provider";
import { sameValue, Unknown, withoutSecrets, type PropertyMap } from "../rpc/values";
import { docker } from "./cli";
import type { Credentials } from "./credentials";
import { matching, push } from "./image";
import { withDigest } from "./references";
import { deleteFromRegistry, registryDigest } from "./registry";

type Registries = Credentials[];

/** Both kinds are made anew whenever their name or a trigger changes. */
export function diffByName(names: string[]) {
  return ({ oldInputs, news }: DiffRequest) => {
    const keys = new Set([...Object.keys(oldInputs), ...Object.keys(news)]);
    const changed = [...keys].filter((key) => !key.startsWith("__") && !sameValue(oldInputs[key], news[key]));
    return { changes: changed.length > 0, replaces: changed.filter((key) => names.includes(key)) };
  };
}

/** Pushes an image that the daemon has to its registry. */
export async function createRegistryImage(
  { properties, preview, signal, status }: CreateRequest,
  known: Registries,
) {
  if (preview) return { id: "", properties: { ...properties, sha256Digest: Unknown.value } };
  const name = text(properties, "name");
  const credentials = [...known, ...authConfig(properties)];
  status(`pushing ${name}`);
  const sha256Digest = await push(name, { signal, onLine: status, credentials });
  return { id: sha256Digest, properties: { ...properties, sha256Digest } };
}

export async function readRegistryImage({ id, properties, inputs, signal }: ReadRequest, known: Registries) {
  const name = text(properties, "name") || id;
  const credentials = [...known, ...authConfig(inputs)].find(matching(name));
  const sha256Digest = await registryDigest(name, { signal, credentials });
  return sha256Digest
    ? { id: sha256Digest, properties: { ...properties, name, sha256Digest }, inputs }
    : undefined;
}

export async function deleteRegistryImage(
  { properties, signal }: DeleteRequest,
  known: Registries,
): Promise<void> {
  if (flag(properties, "keepRemotely")) return;
  const name = text(properties, "name");
  const credentials = [...known, ...authConfig(properties)].find(matching(name));
  await deleteFromRegistry(name, text(properties, "sha256Digest"), { signal, credentials });
}

/** Pulls an image into the daemon. */
export async function createRemoteImage(
  { properties, preview, signal, status }: CreateRequest,
  credentials: Registries,
) {
  if (preview) {
    return { id: "", properties: { ...properties, imageId: Unknown.value, repoDigest: Unknown.value } };
  }
  const name = text(properties, "name");
  const platform = text(properties, "platform");
  status(`pulling ${name}`);
  const run = { signal, onLine: status, credentials };
  await docker(["pull", ...(platform ? ["--platform", platform] : []), name], run);
  const outputs = await inspect(name, signal);
  if (!outputs) throw new Error(`docker pulled ${name} but does not have it`);
  return { id: `${outputs.imageId}${name}`, properties: { ...properties, ...outputs } };
}

export async function readRemoteImage({ id, properties, inputs, signal }: ReadRequest) {
  const found = await inspect(text(properties, "name"), signal);
  return found ? { id, properties: { ...properties, ...found }, inputs } : undefined;
}

export async function deleteRemoteImage({ properties, signal }: DeleteRequest): Promise<void> {
  if (flag(properties, "keepLocally")) return;
  const name = text(properties, "name");
  if (!(await inspect(name, signal))) return;
  await docker(["image", "rm", ...(flag(properties, "forceRemove") ? ["--force"] : []), name], { signal });
}

async function inspect(name: string, signal: AbortSignal) {
  const found = await docker(["image", "ls", "--quiet", "--no-trunc", name], { signal });
  if (!found.trim()) return undefined;
  const [image] = JSON.parse(await docker(["image", "inspect", name], { signal })) as [
    { Id: string; RepoDigests?: string[] },
  ];
  const digest = image.RepoDigests?.[0]?.split("@")[1];
  return { imageId: image.Id, repoDigest: digest ? withDigest(name, digest) : "" };
}

function authConfig(properties: PropertyMap): Credentials[] {
  const config = reveal(properties.authConfig);
  if (config === undefined) return [];
  const plain = withoutSecrets(config) as PropertyMap;
  return [
    { server: text(plain, "address"), username: text(plain, "username"), password: text(plain, "password") },
  ];
}
