import { setTimeout as sleep } from "node:timers/promises";
import type { CreateRequest } from "../../rpc/provider";
import { containsUnknown, type PropertyMap } from "../../rpc/values";
import { Annotations, isOn } from "../annotations";
import { redactor, toObject, writeCheckpoint } from "../checkpoint";
import type { CallOptions, KubernetesApi } from "../cluster/api";
import { ApiError, ConnectionError, isAlreadyExists, isNotFound, UnknownKindError } from "../cluster/errors";
import { detailedDiff } from "../diff";
import { isPatch } from "../kinds";
import { fieldManager } from "../naming";
import { apiVersionOf, describe, kindOf, list, objectId, omit, text, type KubeObject } from "../object";
import { prune } from "../prune";
import { callOptions, canAsk, requireApi, type Session } from "../session";
import { explainRefusal } from "./refusal";
import { finish } from "./ready";

/** Creations are made under this name; the first update moves their fields to the resource's own manager. */
export const CREATION_MANAGER = "pulumi-kubernetes";

/** A kind or namespace that is created at the same time: tries 0.2 s apart, then twice as long each; 13 s together. */
const TRIES_FOR_WHAT_IS_MISSING = 7;
const TRIES_AFTER_LOST_ANSWERS = 4;

export async function create(
  session: Session,
  request: CreateRequest,
): Promise<{ id: string; properties: PropertyMap }> {
  const inputs = toObject(request.properties);
  const redact = redactor(request.properties);
  if (request.preview) return { id: "", properties: await previewCreate(session, request, inputs) };

  const api = await requireApi(session);
  const options = callOptions(session, request, redact);
  const manager = fieldManager(inputs, {});
  const upsert = session.settings.upsert || isPatch(request.type, kindOf(inputs));
  let live: KubeObject;
  try {
    live = await untilPossible(request, redact, () =>
      upsert
        ? api.apply(inputs, { ...options, fieldManager: manager, force: isForced(session, inputs) })
        : createOnce(api, inputs, { ...options, fieldManager: CREATION_MANAGER }),
    );
  } catch (error) {
    throw explainRefusal(error, `${describe(inputs)} was not created`, manager, redact);
  }
  const properties = await finish({
    api,
    operation: request,
    properties: request.properties,
    inputs,
    live,
    initialApiVersion: apiVersionOf(inputs),
    fieldManager: manager,
    timeoutSeconds: request.timeoutSeconds,
  });
  return { id: objectId(live), properties };
}

export function isForced({ settings }: Session, inputs: KubeObject): boolean {
  return settings.patchForce || isOn(inputs, Annotations.patchForce);
}

/** Asks the API server what it would make of the object. Where it cannot be asked, the inputs have to do. */
async function previewCreate(
  session: Session,
  request: CreateRequest,
  inputs: KubeObject,
): Promise<PropertyMap> {
  const asIs = request.properties;
  if (containsUnknown(inputs) || isPatch(request.type, kindOf(inputs))) return asIs;
  const redact = redactor(asIs);
  try {
    const api = await canAsk(session, inputs);
    if (!api) return asIs;
    const options = callOptions(session, request, redact);
    const made = await api.create(inputs, { ...options, dryRun: true, fieldManager: CREATION_MANAGER });
    const live = omit(made, "status");
    const manager = fieldManager(inputs, {});
    const initialApiVersion = apiVersionOf(inputs);
    return writeCheckpoint({ inputs, live, origin: asIs, initialApiVersion, fieldManager: manager });
  } catch (error) {
    if (cannotTell(error)) return asIs;
    throw explainRefusal(error, `${describe(inputs)} would not be created`, CREATION_MANAGER, redact);
  }
}

/** Refusals of a dry run that say nothing about the real run. */
export function cannotTell(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof UnknownKindError) return true;
  if (!(error instanceof ApiError)) return false;
  const cannotDryRun = error.code === 400 && /does not support dry run|dryRun/.test(error.message);
  return (
    isAlreadyExists(error) || isNotFound(error) || error.code === 403 || error.code >= 500 || cannotDryRun
  );
}

/** Tries again while the kind or the namespace of the object does not exist yet. */
async function untilPossible<T>(
  request: CreateRequest,
  redact: (text: string) => string,
  run: () => Promise<T>,
) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const missing = isNotFound(error) || error instanceof UnknownKindError;
      if (!missing || attempt === TRIES_FOR_WHAT_IS_MISSING) throw error;
      request.status(redact(`try ${attempt}: ${(error as Error).message}`));
      await sleep(100 * 2 ** attempt, undefined, { signal: request.signal });
    }
  }
}

/** When the answer to a creation is lost, the object tells whether it happened. */
async function createOnce(api: KubernetesApi, inputs: KubeObject, options: CallOptions): Promise<KubeObject> {
  for (let attempt = 1; ; attempt++) {
    try {
      // Never given up half-way: what had come about would be in no state, and in the way of the next update.
      return await api.create(inputs, { ...options, signal: undefined });
    } catch (error) {
      const lost = error instanceof ConnectionError && !error.neverSent;
      if (!lost || attempt === TRIES_AFTER_LOST_ANSWERS) throw error;
      options.onRetry?.(error.message);
      const made = await api.get(inputs, options).catch((reason: unknown) => {
        if (isNotFound(reason)) return undefined;
        throw reason;
      });
      if (made && isOurCreation(made, inputs)) return made;
    }
  }
}

function isOurCreation(live: KubeObject, inputs: KubeObject): boolean {
  const managers = list(live, "metadata", "managedFields").filter((entry) => !text(entry, "subresource"));
  const onlyUs = managers.every((entry) => text(entry, "manager") === CREATION_MANAGER);
  return onlyUs && Object.keys(detailedDiff(prune(live, inputs), inputs, [])).length === 0;
}
