import type { ResourceOperation } from "../rpc/provider";
import { HOW_TO_REACH_A_CLUSTER, type ClusterLink } from "./cluster/connection";
import type { CallOptions, KubernetesApi } from "./cluster/api";
import { UnknownKindError } from "./cluster/errors";
import { isNamespaced as isNamespacedKind } from "./kinds";
import { apiVersionOf, groupOf, kindOf, text, type KubeObject } from "./object";
import type { Settings } from "./settings";

/** A configured provider: how it is set up, and its cluster. */
export interface Session {
  readonly settings: Settings;
  readonly link: ClusterLink;
  /** Whether kinds that this program defines lie in a namespace, by `group/Kind`. */
  readonly scopes: Map<string, boolean>;
}

/** Remembers the scope of a kind that this program is about to define. */
export function announce({ scopes }: Session, definition: KubeObject): void {
  const scope = text(definition, "spec", "scope");
  const key = `${text(definition, "spec", "group")}/${text(definition, "spec", "names", "kind")}`;
  if (scope) scopes.set(key, scope === "Namespaced");
}

export async function requireApi({ link }: Session): Promise<KubernetesApi> {
  const { api, reason } = await link.connect();
  if (!api) throw new Error(`the Kubernetes cluster cannot be reached: ${reason}. ${HOW_TO_REACH_A_CLUSTER}`);
  return api;
}

/** Whether objects of this kind lie in a namespace. A kind that nobody knows yet is taken to. */
export async function isNamespaced({ link, scopes }: Session, object: KubeObject): Promise<boolean> {
  const apiVersion = apiVersionOf(object);
  const kind = kindOf(object);
  const known = isNamespacedKind(apiVersion, kind) ?? scopes.get(`${groupOf(apiVersion)}/${kind}`);
  if (known !== undefined) return known;
  const { api } = await link.connect();
  try {
    return api ? (await api.discovery.find(apiVersion, kind)).namespaced : true;
  } catch {
    return true;
  }
}

/** Whether the cluster can be asked about objects of this kind. */
export async function canAsk({ link }: Session, object: KubeObject): Promise<KubernetesApi | undefined> {
  const { api } = await link.connect();
  if (!api) return undefined;
  try {
    await api.discovery.find(apiVersionOf(object), kindOf(object));
    return api;
  } catch (error) {
    if (error instanceof UnknownKindError) return undefined;
    throw error;
  }
}

/** Passes on what the API server says besides its answers: deprecations, and objects that policies frown upon. */
export function callOptions(
  { settings }: Session,
  { signal, log, status }: ResourceOperation,
  redact: (message: string) => string,
): CallOptions {
  const told = new Set<string>();
  return {
    signal,
    onRetry: (reason) => status(redact(`trying again: ${reason}`)),
    onWarning: (message) => {
      if (told.has(message) || settings.suppressDeprecationWarnings) return;
      told.add(message);
      log("warning", redact(message));
    },
  };
}
