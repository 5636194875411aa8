import { existsSync } from "node:fs";
import { join } from "node:path";
import { flag, reveal, text } from "../rpc/fields";
import type { CheckFailure, CheckRequest, CreateRequest, DiffKind, DiffRequest } from "../rpc/provider";
import type { ReadRequest, ResourceOperation, UpdateRequest } from "../rpc/provider";
import { containsUnknown, isPropertyMap, sameValue, Secret, Unknown, withoutSecrets } from "../rpc/values";
import type { PropertyMap, PropertyValue } from "../rpc/values";
import { build, type BuildOptions } from "./build";
import { docker } from "./cli";
import { contextDigest } from "./context";
import type { Credentials } from "./credentials";
import { parseReference, withDigest } from "./references";
import { registryDigest } from "./registry";

/** Credentials change often, and an image is the same whoever pushed it. */
const NO_REASON_TO_BUILD = ["registry.username", "registry.password"];

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", ia32: "386" };

/** Fills in where and what is built, and the digest of it, so that a changed file is a changed input. */
export function checkImage({ news }: CheckRequest): { inputs: PropertyMap; failures: CheckFailure[] } {
  const failures: CheckFailure[] = [];
  const imageName = reveal(news.imageName);
  if (imageName === undefined) failures.push({ property: "imageName", reason: "imageName is missing" });
  if (typeof imageName === "string") {
    try {
      parseReference(imageName);
    } catch (error) {
      failures.push({ property: "imageName", reason: (error as Error).message });
    }
  }
  const given = news.build instanceof Unknown ? undefined : (reveal(news.build) ?? {});
  if (!isPropertyMap(given)) return { inputs: news, failures };
  const context = reveal(given.context) ?? ".";
  const dockerfile =
    reveal(given.dockerfile) ?? (typeof context === "string" ? join(context, "Dockerfile") : context);
  const completed: PropertyMap = {
    ...(isPropertyMap(news.build) ? news.build : given),
    context,
    dockerfile,
    platform: reveal(given.platform) ?? `linux/${ARCHITECTURES[process.arch] ?? process.arch}`,
  };
  if (typeof context === "string" && typeof dockerfile === "string") {
    if (!existsSync(dockerfile))
      failures.push({ property: "build.dockerfile", reason: missing(context, dockerfile) });
    else if (!existsSync(context))
      failures.push({ property: "build.context", reason: `${context} does not exist` });
    else completed.contextDigest = contextDigest(context, dockerfile);
  }
  // A secret build argument can make all of `build` secret, and it has to stay so.
  const secret = news.build instanceof Secret;
  const inputs = {
    ...news,
    build: secret ? new Secret(completed) : completed,
    buildOnPreview: flag(news, "buildOnPreview"),
  };
  return { inputs, failures };
}

function missing(context: string, dockerfile: string): string {
  const inContext = join(context, dockerfile);
  const hint = existsSync(inContext)
    ? `; it is relative to the program, not to the context: try ${inContext}`
    : "";
  return `${dockerfile} does not exist${hint}`;
}

export function diffImage({ olds, oldInputs, news }: DiffRequest) {
  const recorded = reveal(olds.__inputs);
  const before = flatten(isPropertyMap(recorded) ? recorded : withoutSecrets(oldInputs));
  const after = flatten(news);
  const detailed: Record<string, { kind: DiffKind; inputDiff: boolean }> = {};
  for (const path of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (NO_REASON_TO_BUILD.includes(path) || sameValue(before[path], after[path])) continue;
    detailed[path] = {
      kind: path in before ? (path in after ? "update" : "delete") : "add",
      inputDiff: true,
    };
  }
  return { changes: Object.keys(detailed).length > 0, detailed };
}

/** Arguments by path, two levels deep, which is as deep as they go but for lists and maps of build arguments. */
function flatten(inputs: PropertyMap): PropertyMap {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]): [string, PropertyValue][] => {
      const plain = value instanceof Secret ? value.value : value;
      if (!isPropertyMap(plain)) return [[name, value]];
      return Object.entries(plain).map(([key, inner]): [string, PropertyValue] => [`${name}.${key}`, inner]);
    }),
  );
}

export async function createImage(request: CreateRequest, registries: Credentials[]) {
  const properties = await produce(request, request.properties, request.preview, registries);
  return { id: text(request.properties, "imageName"), properties };
}

export async function updateImage(request: UpdateRequest, registries: Credentials[]): Promise<PropertyMap> {
  return produce(request, request.news, request.preview, registries);
}

/** An image that is in the state but no longer in its registry is gone, so that the next update makes it anew. */
export async function readImage(
  { id, properties, inputs, signal, log }: ReadRequest,
  registries: Credentials[],
) {
  const known = { id, properties, inputs };
  const digest = text(properties, "repoDigest");
  if (flag(inputs, "skipPush") || !digest.includes("@")) return known;
  try {
    const credentials = credentialsOf(inputs, registries).find(matching(digest));
    return (await registryDigest(digest, { signal, credentials })) ? known : undefined;
  } catch (error) {
    log(
      "warning",
      `cannot tell whether ${digest} still exists, so it is taken to: ${(error as Error).message}`,
    );
    return known;
  }
}

async function produce(
  operation: ResourceOperation,
  inputs: PropertyMap,
  preview: boolean,
  registries: Credentials[],
): Promise<PropertyMap> {
  const plain = withoutSecrets(inputs);
  const options = buildOptions(plain);
  const outputs = {
    imageName: inputs.imageName ?? null,
    baseImageName: inputs.imageName ?? null,
    registryServer: isPropertyMap(plain.registry) ? text(plain.registry, "server") : "",
    context: options.context,
    dockerfile: options.dockerfile,
    platform: options.platform,
    // The official plugin compares with what it keeps here.
    __inputs: new Secret(plain),
  };
  if (preview && (!flag(plain, "buildOnPreview") || containsUnknown(plain))) {
    return { ...outputs, repoDigest: Unknown.value };
  }
  const credentials = credentialsOf(plain, registries);
  const run = { signal: operation.signal, onLine: operation.status, credentials };
  operation.status(`building ${options.name}`);
  const imageId = await build(options, run);
  if (preview || flag(plain, "skipPush"))
    return { ...outputs, repoDigest: preview ? Unknown.value : imageId };
  operation.status(`pushing ${options.name}`);
  return { ...outputs, repoDigest: withDigest(options.name, await push(options.name, run)) };
}

/** Pushes a local image and returns the digest under which its registry has it. */
export async function push(name: string, run: Parameters<typeof docker>[1]): Promise<string> {
  const output = await docker(["push", name], run);
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(output)?.[1];
  if (!digest) throw new Error(`docker push did not say under which digest ${name} was pushed`);
  return digest;
}

function buildOptions(inputs: PropertyMap): BuildOptions {
  const given = isPropertyMap(inputs.build) ? inputs.build : {};
  const cache = isPropertyMap(given.cacheFrom) ? given.cacheFrom : {};
  const args = isPropertyMap(given.args) ? given.args : {};
  return {
    name: text(inputs, "imageName"),
    context: text(given, "context"),
    dockerfile: text(given, "dockerfile"),
    args: Object.fromEntries(
      Object.entries(args).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
    ),
    target: text(given, "target"),
    platform: text(given, "platform"),
    network: text(given, "network"),
    addHosts: list(given.addHosts),
    cacheFrom: list(cache.images),
    buildKit: text(given, "builderVersion") !== "BuilderV1",
  };
}

function list(value: PropertyValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function credentialsOf(inputs: PropertyMap, registries: Credentials[]): Credentials[] {
  const registry = reveal(inputs.registry);
  if (!isPropertyMap(registry) || !text(registry, "username")) return registries;
  const server = text(registry, "server") || parseReference(text(inputs, "imageName")).registry;
  const own = { server, username: text(registry, "username"), password: text(registry, "password") };
  return [...registries, own];
}

export function matching(name: string): (credentials: Credentials) => boolean {
  const { registry } = parseReference(name);
  return ({ server }) => server.replace(/^https?:\/\//, "").replace(/\/.*$/, "") === registry;
}
