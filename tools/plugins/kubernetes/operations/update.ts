import type { UpdateRequest } from "../../rpc/provider";
import { containsUnknown, type PropertyMap } from "../../rpc/values";
import { readCheckpoint, redactor, toObject, writeCheckpoint } from "../checkpoint";
import type { CallOptions, KubernetesApi } from "../cluster/api";
import { isNotFound, isStale } from "../cluster/errors";
import { isPatch } from "../kinds";
import { keepIgnored, takeOverCreation, wroteWithoutApply } from "../managed-fields";
import { fieldManager } from "../naming";
import { normalizeInputs } from "../normalize";
import {
  apiVersionOf,
  describe,
  isCustomResourceDefinition,
  kindOf,
  list,
  nameOf,
  namespaceOf,
  text,
  withField,
} from "../object";
import type { KubeObject } from "../object";
import { callOptions, canAsk, requireApi, type Session } from "../session";
import { cannotTell, isForced } from "./create";
import { finish } from "./ready";
import { explainRefusal } from "./refusal";

const TRIES_WHEN_OTHERS_WRITE = 5;

export async function update(session: Session, request: UpdateRequest): Promise<PropertyMap> {
  const inputs = normalizeInputs(toObject(request.news));
  const redact = redactor({ ...request.news, __old: request.olds });
  const manager = fieldManager(inputs, request.olds);
  const origin = request.news;
  const initialApiVersion = text(request.olds, "__initialApiVersion") || apiVersionOf(inputs);
  const checkpoint = { inputs, origin, initialApiVersion, fieldManager: manager };

  if (request.preview) {
    if (containsUnknown(inputs)) return request.news;
    try {
      const api = await canAsk(session, inputs);
      if (!api) return request.news;
      return writeCheckpoint({
        ...checkpoint,
        live: await write(session, request, api, inputs, manager, redact),
      });
    } catch (error) {
      if (cannotTell(error)) return request.news;
      throw explainRefusal(error, `${describe(inputs)} would not be updated`, manager, redact);
    }
  }

  const api = await requireApi(session);
  let live: KubeObject;
  try {
    live = await write(session, request, api, inputs, manager, redact);
  } catch (error) {
    throw explainRefusal(error, `${describe(inputs)} was not updated`, manager, redact);
  }
  const { timeoutSeconds } = request;
  const outputs = await finish({
    ...checkpoint,
    api,
    operation: request,
    properties: origin,
    live,
    timeoutSeconds,
  });
  const oldManager = text(request.olds, "__fieldManager");
  if (oldManager && oldManager !== manager) {
    await relinquish(api, live, { ...callOptions(session, request, redact), fieldManager: oldManager });
  }
  return outputs;
}

/** Writes the object, again from the start when somebody else wrote it in between. */
async function write(
  session: Session,
  request: UpdateRequest,
  api: KubernetesApi,
  inputs: KubeObject,
  manager: string,
  redact: (message: string) => string,
): Promise<KubeObject> {
  const options = {
    ...callOptions(session, request, redact),
    dryRun: request.preview,
    fieldManager: manager,
  };
  const identity = { ...inputs, metadata: readCheckpoint(request.olds).live.metadata ?? null };
  for (let attempt = 1; ; attempt++) {
    try {
      const live = await api.get(identity, options);
      return await writeOnce(session, request, api, inputs, live, options);
    } catch (error) {
      if (isNotFound(error) && !request.preview) {
        request.log("warning", `${describe(inputs)} was deleted by somebody else and is created again`);
        return api.apply(inputs, { ...options, force: true });
      }
      if (!isStale(error) || attempt === TRIES_WHEN_OTHERS_WRITE) throw error;
    }
  }
}

async function writeOnce(
  session: Session,
  request: UpdateRequest,
  api: KubernetesApi,
  inputs: KubeObject,
  live: KubeObject,
  options: CallOptions & { fieldManager: string },
): Promise<KubeObject> {
  if (isCustomResourceDefinition(inputs)) {
    // Versions of a definition that are left out have to go, which an apply would not do to fields of others.
    const resourceVersion = text(live, "metadata", "resourceVersion");
    return api.replace(withField(inputs, ["metadata", "resourceVersion"], resourceVersion), options);
  }
  const patches = isPatch(request.type, kindOf(inputs));
  const taken = patches || request.preview ? undefined : takeOverCreation(live, options.fieldManager);
  const current = taken ? await api.jsonPatch(live, taken, { signal: options.signal }) : live;
  const force =
    isForced(session, inputs) ||
    list(current, "metadata", "managedFields").length === 0 ||
    (request.preview && wroteWithoutApply(current));
  return api.apply(keepIgnored(inputs, current, options.fieldManager, request.ignoreChanges), {
    ...options,
    force,
  });
}

/** Gives up all fields that `options.fieldManager` manages; those that nobody else manages are removed. */
export async function relinquish(
  api: KubernetesApi,
  object: KubeObject,
  options: CallOptions & { fieldManager: string },
): Promise<void> {
  const namespace = namespaceOf(object);
  const metadata: PropertyMap = { name: nameOf(object), ...(namespace ? { namespace } : {}) };
  const bare = { apiVersion: apiVersionOf(object), kind: kindOf(object), metadata };
  await api.apply(bare, { ...options, force: false });
}
