import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { version as providerVersion } from "@pulumi/kubernetes/package.json";
import * as pulumi from "@pulumi/pulumi";
import { JSON_SCHEMA, loadAll } from "js-yaml";
import { loadManifestLock, manifestFile } from "../tools/manifests/lock";

/** An object as its file has it. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: pulumi.Input<string>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** Returns the object to register in its place, or itself; fields below the name may come from other resources. */
export type ManifestPatch = (object: ManifestObject) => ManifestObject;

export interface UpstreamManifestArgs {
  /** Entry of `manifests.lock.json`. */
  readonly manifest: string;
  /** Applied in order to every object. */
  readonly patches?: readonly ManifestPatch[];
}

/**
 * The objects of a pinned upstream release. Each becomes a resource of its own, so that policies see it; CRDs come
 * first and everything else waits for them.
 * @throws pulumi.RunError when the files are not there or are not the ones that the lock names.
 */
export class UpstreamManifest extends pulumi.ComponentResource {
  /** Its CRDs: whoever makes objects of their kinds waits for them. */
  readonly definitions: readonly pulumi.Resource[];

  constructor(name: string, args: UpstreamManifestArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:manifest:UpstreamManifest", name, {}, opts);
    const objects = readManifest(process.cwd(), args.manifest);
    const isDefinition = ({ kind }: ManifestObject) => kind === "CustomResourceDefinition";
    const register = (object: ManifestObject, dependsOn: pulumi.Resource[]) =>
      new KubernetesObject(
        `${name}-${object.kind.toLowerCase()}-${object.metadata.name}`,
        (args.patches ?? []).reduce((patched, patch) => patch(patched), object),
        { parent: this, dependsOn },
      );
    const definitions = objects.filter(isDefinition).map((object) => register(object, []));
    this.definitions = definitions;
    for (const object of objects.filter((each) => !isDefinition(each))) register(object, definitions);
    this.registerOutputs();
  }
}

/** Any Kubernetes object, by the type that the provider's own class for it would have. */
class KubernetesObject extends pulumi.CustomResource {
  constructor(name: string, object: ManifestObject, opts: pulumi.CustomResourceOptions) {
    const { apiVersion, kind } = object;
    const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
    super(`kubernetes:${group}:${kind}`, name, { ...object }, { ...opts, version: providerVersion });
  }
}

/** The objects of one entry of the lock, in the order of its files. */
export function readManifest(root: string, manifest: string): ManifestObject[] {
  const entries = loadManifestLock(root);
  const entry = entries.find(({ name }) => name === manifest);
  if (entry === undefined) {
    const known = entries.map(({ name }) => name).join(", ");
    throw new pulumi.RunError(`components/manifests.lock.json has no "${manifest}"; it has ${known}`);
  }
  return entry.files.flatMap(({ path, sha256 }) => {
    const file = manifestFile(root, entry, path);
    return parseObjects(readVerified(file, sha256), file);
  });
}

function readVerified(file: string, expected: string): string {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch {
    throw new pulumi.RunError(`${file} is not there. Fetch the upstream manifests: npm run manifests`);
  }
  const actual = createHash("sha256").update(content).digest("hex");
  if (actual !== expected) {
    throw new pulumi.RunError(
      `${file} is not the file that components/manifests.lock.json names.\n` +
        `  expected SHA-256 ${expected}\n  actual   SHA-256 ${actual}\n` +
        "Delete it and fetch it again: npm run manifests",
    );
  }
  return content.toString("utf8");
}

/** Parses Kubernetes YAML: with js-yaml, which reads the megabytes of definitions in a seventh of yaml's time. */
export function parseObjects(yaml: string, file: string): ManifestObject[] {
  const documents: unknown[] = [];
  try {
    loadAll(yaml, (document) => documents.push(document), {
      filename: file,
      schema: JSON_SCHEMA,
      json: true,
    });
  } catch (error) {
    throw new pulumi.RunError(
      `${file} is not YAML: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return documents.flatMap((object) => {
    if (object === null || object === undefined) return [];
    if (!isObject(object))
      throw new pulumi.RunError(`${file} holds something without apiVersion, kind and name`);
    // What an object's status is, its cluster says.
    const stated = without(object, "status");
    return [stated.kind === "CustomResourceDefinition" ? withoutDescriptions(stated) : stated];
  });
}

/**
 * A definition without the prose in its schemas, which is three quarters of it and goes into every preview, every
 * state and every entry of the history. `kubectl explain` shows names and types without it.
 */
export function withoutDescriptions<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutDescriptions) as T;
  if (typeof value !== "object" || value === null) return value;
  // A property of that name is a schema, not prose.
  const kept = Object.entries(value).filter(
    ([key, each]) => !(key === "description" && typeof each === "string"),
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutDescriptions(each)])) as T;
}

/** A copy without one of the fields that its type does not ask for. */
export function without<T extends object>(object: T, field: string): T {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== field)) as T;
}

function isObject(value: unknown): value is ManifestObject {
  const object = value as Partial<ManifestObject>;
  return (
    typeof object.apiVersion === "string" &&
    typeof object.kind === "string" &&
    typeof object.metadata?.name === "string"
  );
}
