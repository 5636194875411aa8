import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { LineCounter, parseAllDocuments, type Document, type Node } from "yaml";
import { unknownValue } from "@pulumi/pulumi/runtime/rpc";
import { unknownCheckingProxy } from "@pulumi/policy";
import type { Resource } from "../../policy/frame/objects";

/** Objects of a file, as the policies take them, and where they stand. */
export interface FileResource extends Resource {
  readonly file: string;
  /** The line of a field, or of what holds it; unknown in JSON of a state. */
  lineOf(keys: readonly (string | number)[]): number | undefined;
}

export interface Loaded {
  readonly resources: readonly FileResource[];
  /** Why something could not be read, each with its file. */
  readonly unreadable: readonly string[];
  /** Files of folders that hold no Kubernetes objects. */
  readonly skipped: readonly string[];
}

/** Reads Kubernetes YAML, of one or more documents, and exported states; folders with all that is in them. */
export function loadFiles(paths: readonly string[], stack: string): Loaded {
  const resources: FileResource[] = [];
  const unreadable: string[] = [];
  const skipped: string[] = [];
  for (const path of paths) {
    let files: readonly string[];
    try {
      files = filesOf(path);
    } catch (error) {
      unreadable.push(`${path}: ${reason(error)}`);
      continue;
    }
    if (files.length === 0) unreadable.push(`${path}: holds no .yaml, .yml or .json file`);
    for (const file of files) {
      try {
        const { found, strays } = loadFile(file, stack);
        resources.push(...found);
        // Of a file without any object, such as a chart's values, nobody expects one.
        if (found.length > 0) unreadable.push(...strays);
        else if (file === path) unreadable.push(`${file}: holds no Kubernetes object`);
        else skipped.push(file);
      } catch (error) {
        unreadable.push(`${file}: ${reason(error)}`);
      }
    }
  }
  return { resources, unreadable, skipped };
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && error.code === "ENOENT" ? "does not exist" : (error.message.split("\n")[0] ?? "");
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(^|\/)(node_modules|\.git)\//.test(file))
    .sort();
}

interface LoadedFile {
  readonly found: readonly FileResource[];
  /** What is no object although others of the file are, each with its place. */
  readonly strays: readonly string[];
}

function loadFile(file: string, stack: string): LoadedFile {
  const lines = new LineCounter();
  const documents = parseAllDocuments(readFileSync(file, "utf8"), { lineCounter: lines, merge: true });
  if (!Array.isArray(documents)) return { found: [], strays: [] };
  const found: FileResource[] = [];
  const strays: string[] = [];
  documents.forEach((document, index) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    const value = document.toJS({ maxAliasCount: 1000 }) as unknown;
    if (isState(value)) found.push(...resourcesOfState(file, value));
    else if (value !== null) {
      itemsOf(value).forEach(({ value: item, path }, position) => {
        const lineOf = (keys: readonly (string | number)[]) => line(document, lines, [...path, ...keys]);
        if (isManifest(item)) {
          found.push(resourceOf(file, stack, item, `${index}.${position}`, lineOf));
          return;
        }
        const what = path.length === 0 ? "is" : "has an item that is";
        const remedy = `set ${missingKeys(item).join(" and ")}, or move it to a file of its own`;
        strays.push(
          `${file}:${lineOf([]) ?? 1}: document ${index + 1} ${what} no Kubernetes object: ${remedy}`,
        );
      });
    }
  });
  return { found, strays };
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly items?: unknown;
}

/** The keys that say what an object is, as far as they are not texts. */
function missingKeys(value: unknown): readonly string[] {
  const given = (typeof value === "object" && value !== null ? value : {}) as Readonly<
    Record<string, unknown>
  >;
  return ["apiVersion", "kind"].filter((key) => typeof given[key] !== "string" || given[key] === "");
}

function isManifest(value: unknown): value is Manifest {
  return missingKeys(value).length === 0;
}

/** The items of a `List`, or the document itself. */
function itemsOf(
  value: unknown,
  path: readonly (string | number)[] = [],
): { value: unknown; path: typeof path }[] {
  if (!isManifest(value) || !value.kind.endsWith("List") || !Array.isArray(value.items))
    return [{ value, path }];
  // The items of a list of one kind need not say it.
  const group = { apiVersion: value.apiVersion, kind: value.kind.replace(/List$/, "") };
  return value.items.flatMap((item: object, index) =>
    itemsOf(isManifest(item) ? item : { ...group, ...item }, [...path, "items", index]),
  );
}

function resourceOf(
  file: string,
  stack: string,
  manifest: Manifest,
  position: string,
  lineOf: FileResource["lineOf"],
): FileResource {
  const version = manifest.apiVersion.includes("/") ? manifest.apiVersion : `core/${manifest.apiVersion}`;
  const type = `kubernetes:${version}:${manifest.kind}`;
  const { name = "", namespace = "" } = manifest.metadata ?? {};
  const urn = `urn:pulumi:${stack}::${file}::${type}::${namespace}/${name}#${position}`;
  return { file, type, urn, props: unknownCheckingProxy(manifest), lineOf };
}

function line(
  document: Document,
  lines: LineCounter,
  keys: readonly (string | number)[],
): number | undefined {
  for (let length = keys.length; length >= 0; length -= 1) {
    const node = (length === 0 ? document.contents : document.getIn(keys.slice(0, length), true)) as
      Node | undefined;
    const start = node?.range?.[0];
    if (start === undefined) continue;
    return lines.linePos(start).line;
  }
  return undefined;
}

interface State {
  readonly resources: readonly StateResource[];
}

interface StateResource {
  readonly type: string;
  readonly urn: string;
  readonly inputs?: object;
  readonly delete?: boolean;
  readonly protect?: boolean;
}

/** What `pulumi stack export` prints, or the file that a backend keeps. */
function isState(value: unknown): value is object {
  return stateOf(value) !== undefined;
}

function stateOf(value: unknown): State | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { deployment, checkpoint } = value as { deployment?: State; checkpoint?: { latest?: State } };
  const state = deployment ?? checkpoint?.latest;
  return Array.isArray(state?.resources) ? state : undefined;
}

/** The resources of an exported state as the policies take them. */
export function resourcesOfState(file: string, value: object): readonly FileResource[] {
  return (stateOf(value)?.resources ?? [])
    .filter((resource) => resource.delete !== true)
    .map(({ type, urn, inputs, protect = false }) => ({
      file,
      type,
      urn,
      protect,
      props: unknownCheckingProxy(withoutSecrets(inputs ?? {}) as object),
      lineOf: () => undefined,
    }));
}

/** The key by which Pulumi marks a secret in a state (`sdk/go/common/resource/sig`). */
const signature = "4dabf18193072939515e22adb298388d";

/** A secret's value is unknown to a policy that needs it, unless the state was exported with its secrets. */
function withoutSecrets(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (signature in value) {
    const { plaintext } = value as { plaintext?: unknown };
    return typeof plaintext === "string" ? (JSON.parse(plaintext) as unknown) : unknownValue;
  }
  if (Array.isArray(value)) return value.map(withoutSecrets);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, withoutSecrets(child)]));
}
