import { gunzipSync } from "node:zlib";
import { readFileSync } from "node:fs";

/** Variable with the path of a file that has the stack's state before the update, whether exported or a checkpoint. */
export const stateVariable = "TECHNOVA_STATE_BEFORE";

/** A resource of the state that the engine would have to delete to be rid of it. */
export interface Existing {
  readonly urn: string;
  readonly type: string;
}

/** What existed before, or why that is not known. */
export type StateBefore =
  | { readonly known: true; readonly resources: readonly Existing[] }
  | { readonly known: false; readonly because: string };

/** Reads the state once: an update that has begun changes it. */
export function readStateBefore(env: NodeJS.ProcessEnv): StateBefore {
  const path = env[stateVariable];
  if (path === undefined || path === "") {
    return unknown(
      `${stateVariable} names no file with the state before; npm run preview and npm run up set it.`,
    );
  }
  try {
    const content = readFileSync(path);
    return parseState((path.endsWith(".gz") ? gunzipSync(content) : content).toString("utf8"));
  } catch (error) {
    const { code = "no such format" } = error as NodeJS.ErrnoException;
    return unknown(`The file that ${stateVariable} names cannot be read (${code}).`);
  }
}

/**
 * What `pulumi stack export` writes, or the file in which a file backend keeps a stack. Components, providers and the
 * stack are nothing that could be lost; resources that are read only, or are being deleted already, are not deleted by
 * this update.
 */
export function parseState(text: string): StateBefore {
  const wrong = unknown(`The file that ${stateVariable} names is no state of a stack.`);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return wrong;
  }
  const exported = at(content, "deployment");
  const checkpoint = at(content, "checkpoint");
  if (exported === undefined && checkpoint === undefined) return wrong;
  // A stack that nothing was done with yet has no resources, and its checkpoint not even a state.
  const resources = at(exported ?? at(checkpoint, "latest"), "resources") ?? [];
  if (!Array.isArray(resources)) return wrong;
  return { known: true, resources: resources.filter(isRecord).filter(isOwned).map(existing) };
}

function isOwned(resource: Readonly<Record<string, unknown>>): boolean {
  const { type, custom, external } = resource;
  const isEngines = typeof type === "string" && type.startsWith("pulumi:");
  return custom === true && !isEngines && external !== true && resource.delete !== true;
}

function existing({ urn, type }: Readonly<Record<string, unknown>>): Existing {
  return { urn: String(urn), type: String(type) };
}

function unknown(because: string): StateBefore {
  return { known: false, because };
}

function at(value: unknown, key: string): unknown {
  const found = isRecord(value) ? value[key] : undefined;
  return found === null ? undefined : found;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
