import type { ReadRequest, ReadResult } from "../../rpc/provider";
import type { PropertyMap } from "../../rpc/values";
import { readinessOf } from "../await/readiness";
import { lastApplied, markSecrets, readCheckpoint, toObject, writeCheckpoint } from "../checkpoint";
import type { KubernetesApi } from "../cluster/api";
import { isNotFound, UnknownKindError } from "../cluster/errors";
import { parseType } from "../kinds";
import { fieldManager } from "../naming";
import { normalizeInputs } from "../normalize";
import {
  apiVersionOf,
  field,
  kindOf,
  nameOf,
  namespaceOf,
  parseId,
  text,
  withField,
  type KubeObject,
} from "../object";
import { prune } from "../prune";
import { requireApi, type Session } from "../session";
import { notReady } from "./ready";
import { InitializationFailed } from "../../rpc/errors";

/** Set by the cluster, and of no use as inputs. */
const NOT_INPUTS = [
  ["metadata", "creationTimestamp"],
  ["metadata", "generation"],
  ["metadata", "managedFields"],
  ["metadata", "resourceVersion"],
  ["metadata", "uid"],
  ["metadata", "annotations", "deployment.kubernetes.io/revision"],
  ["metadata", "annotations", lastApplied],
  ["status"],
];

/** Reads the live object. Inputs are what is live of the old inputs, or all of it when the object is new to us. */
export async function read(session: Session, request: ReadRequest): Promise<ReadResult | undefined> {
  const unreachable = await whenUnreachable(session, request);
  if (unreachable) return unreachable.result;
  const api = await requireApi(session);
  const old = readCheckpoint(request.properties);
  const { inputs: known, isImport } = identify(request, normalizeInputs(toObject(request.inputs)), old.live);

  let live: KubeObject;
  try {
    live = await api.get(known, { signal: request.signal });
  } catch (error) {
    if (isNotFound(error) || error instanceof UnknownKindError) return undefined;
    throw error;
  }
  const inputs = isImport ? withoutClusterFields(live) : prune(live, known);
  const origin = request.inputs;
  const checkpoint = {
    inputs,
    live,
    origin,
    initialApiVersion: text(request.properties, "__initialApiVersion") || apiVersionOf(known),
    fieldManager: fieldManager(known, request.properties),
  };
  const liveInputs = markSecrets(inputs, origin);
  const failure = isImport ? undefined : await whyNotReady(api, live, known, request.signal);
  if (failure) throw await asRead(await notReady({ ...checkpoint, api }, failure), request.id, liveInputs);
  return { id: request.id, properties: writeCheckpoint(checkpoint), inputs: liveInputs };
}

function asRead(error: InitializationFailed, id: string, inputs: PropertyMap): InitializationFailed {
  return new InitializationFailed(id || error.id, error.properties, inputs, error.reasons);
}

async function whenUnreachable(
  { settings, link }: Session,
  { id, properties, inputs, log }: ReadRequest,
): Promise<{ result: ReadResult | undefined } | undefined> {
  const { reason } = await link.connect();
  if (reason === undefined) return undefined;
  if (settings.deleteUnreachable) {
    log(
      "warning",
      `the cluster cannot be reached and deleteUnreachable is set: taken out of the state (${reason})`,
    );
    return { result: undefined };
  }
  if (settings.skipUpdateUnreachable) {
    log(
      "warning",
      `the cluster cannot be reached and skipUpdateUnreachable is set: left as it is (${reason})`,
    );
    return { result: { id, properties, inputs } };
  }
  return undefined;
}

function identify(
  request: ReadRequest,
  inputs: KubeObject,
  live: KubeObject,
): { inputs: KubeObject; isImport: boolean } {
  if (apiVersionOf(inputs) && nameOf(inputs)) return { inputs, isImport: false };
  const { name, namespace } = parseId(request.id);
  if (!name)
    throw new Error(
      `the id ${JSON.stringify(request.id)} has no name: it has to be \`namespace/name\` or \`name\``,
    );
  const isImport = !apiVersionOf(inputs) && !apiVersionOf(live);
  const type = parseType(request.type);
  const identified: KubeObject = {
    ...inputs,
    apiVersion: apiVersionOf(inputs) || apiVersionOf(live) || type.apiVersion,
    kind: kindOf(inputs) || kindOf(live) || type.kind.replace(/Patch$/, ""),
  };
  const named = withField(identified, ["metadata", "name"], nameOf(inputs) || name);
  const inNamespace = namespaceOf(inputs) || namespace;
  return { inputs: inNamespace ? withField(named, ["metadata", "namespace"], inNamespace) : named, isImport };
}

function withoutClusterFields(live: KubeObject): KubeObject {
  const inputs = NOT_INPUTS.reduce<KubeObject>((object, path) => withField(object, path, undefined), live);
  const annotations = field(inputs, "metadata", "annotations");
  const none = annotations !== undefined && Object.keys(annotations as object).length === 0;
  return none ? withField(inputs, ["metadata", "annotations"], undefined) : inputs;
}

async function whyNotReady(
  api: KubernetesApi,
  live: KubeObject,
  inputs: KubeObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const readiness = readinessOf(inputs);
  if (!readiness) return undefined;
  const query = readiness.related?.(live);
  const related = query
    ? await api.list(query.apiVersion, query.kind, query.namespace, query, { signal })
    : [];
  const { ready, message } = readiness.judge(live, related);
  return ready ? undefined : message;
}
