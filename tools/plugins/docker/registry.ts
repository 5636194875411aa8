import { parseReference, type ImageReference } from "./references";
import type { Credentials } from "./credentials";

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const TIMEOUT_MILLISECONDS = 15_000;

export interface RegistryRequest {
  readonly signal: AbortSignal;
  readonly credentials?: Credentials;
}

/** The digest that a registry has for an image; nothing when it has no such image. */
export async function registryDigest(name: string, request: RegistryRequest): Promise<string | undefined> {
  const response = await call("HEAD", parseReference(name), request);
  if (response.status === 404) return undefined;
  if (!response.ok) throw refusal(name, response);
  const digest = response.headers.get("docker-content-digest");
  if (!digest) throw new Error(`the registry did not send the digest of ${name}`);
  return digest;
}

/** Removes an image from its registry. One that is not there is no error. */
export async function deleteFromRegistry(
  name: string,
  digest: string,
  request: RegistryRequest,
): Promise<void> {
  const response = await call("DELETE", { ...parseReference(name), digest }, request);
  if (!response.ok && response.status !== 404) throw refusal(name, response);
}

async function call(method: string, reference: ImageReference, request: RegistryRequest): Promise<Response> {
  const url = `${baseAddress(reference.registry)}/v2/${reference.repository}/manifests/${reference.digest ?? reference.tag}`;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]);
  const send = (authorization?: string) =>
    fetch(url, {
      method,
      signal,
      headers: { accept: MANIFEST_TYPES, ...(authorization && { authorization }) },
    });
  const first = await send(basic(request.credentials)).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Error(`the registry ${reference.registry} cannot be reached: ${reason(error)}`);
  });
  const challenge = first.headers.get("www-authenticate") ?? "";
  if (first.status !== 401 || !/^bearer /i.test(challenge)) return first;
  return send(`Bearer ${await token(challenge, request, signal)}`);
}

async function token(challenge: string, request: RegistryRequest, signal: AbortSignal): Promise<string> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const { realm, ...query } = fields as { realm: string } & Record<string, string>;
  const authorization = basic(request.credentials);
  const response = await fetch(`${realm}?${new URLSearchParams(query).toString()}`, {
    signal,
    headers: authorization ? { authorization } : {},
  });
  if (!response.ok) throw new Error(`the registry's login at ${realm} answered ${response.status}`);
  const body = (await response.json()) as { token?: string; access_token?: string };
  return body.token ?? body.access_token ?? "";
}

/** Like Docker, plain HTTP for registries on this machine only. */
function baseAddress(registry: string): string {
  if (registry === "docker.io") return "https://registry-1.docker.io";
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(registry)
    ? `http://${registry}`
    : `https://${registry}`;
}

function basic(credentials: Credentials | undefined): string | undefined {
  if (!credentials?.username) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}

function refusal(name: string, response: Response): Error {
  const hint =
    response.status === 401 || response.status === 403 ? "; check the registry's username and password" : "";
  return new Error(`the registry answered ${response.status} for ${name}${hint}`);
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
