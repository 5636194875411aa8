import type { DeleteRequest } from "../../rpc/provider";
import { Annotations, deletionPropagation, isOn, timeoutMilliseconds } from "../annotations";
import { waitUntilGone } from "../await/wait";
import { readCheckpoint, redactor } from "../checkpoint";
import { isNotFound, UnknownKindError } from "../cluster/errors";
import { isPatch, parseType } from "../kinds";
import {
  apiVersionOf,
  describe,
  groupOf,
  kindOf,
  parseId,
  text,
  withField,
  type KubeObject,
} from "../object";
import { callOptions, requireApi, type Session } from "../session";
import { explainRefusal } from "./refusal";
import { relinquish } from "./update";

/** Kinds that take long to go, for which a program may say that it does not want to wait. */
const CAN_SKIP_AWAIT = new Set([
  "/Namespace",
  "/Pod",
  "/ReplicationController",
  "apps/DaemonSet",
  "apps/Deployment",
  "apps/StatefulSet",
  "batch/Job",
]);

/** Deletes the object with all that it owns and waits until it is gone. What is gone already is all right. */
export async function remove(session: Session, request: DeleteRequest): Promise<void> {
  const { settings, link } = session;
  const { reason } = await link.connect();
  if (reason !== undefined && settings.deleteUnreachable) {
    request.log(
      "warning",
      `the cluster cannot be reached and deleteUnreachable is set: taken out of the state (${reason})`,
    );
    return;
  }
  const api = await requireApi(session).catch((error: Error) => {
    throw new Error(
      `${error.message} If the cluster is gone for good, PULUMI_K8S_DELETE_UNREACHABLE=true takes its objects ` +
        "out of the state.",
    );
  });
  const { inputs, live } = readCheckpoint(request.properties);
  const object = identify(request, live);
  const redact = redactor(request.properties);
  const options = callOptions(session, request, redact);
  try {
    if (isPatch(request.type, kindOf(object))) {
      await relinquish(api, object, { ...options, fieldManager: text(request.properties, "__fieldManager") });
      return;
    }
    const answer = await api.delete(object, deletionPropagation(inputs), options);
    if (
      isOn(inputs, Annotations.skipAwait) &&
      CAN_SKIP_AWAIT.has(`${groupOf(apiVersionOf(object))}/${kindOf(object)}`)
    )
      return;
    const gone = await waitUntilGone(identityOf(object, answer), {
      api,
      signal: request.signal,
      status: (message) => request.status(redact(message)),
      timeoutMilliseconds: timeoutMilliseconds(inputs, request.timeoutSeconds),
    });
    request.status("");
    if (gone) throw new Error(gone.failure);
  } catch (error) {
    // Without the kind there are no objects of it.
    if (isNotFound(error) || error instanceof UnknownKindError) return;
    throw explainRefusal(
      error,
      `${describe(object)} was not deleted`,
      text(request.properties, "__fieldManager"),
      redact,
    );
  }
}

function identify(request: DeleteRequest, live: KubeObject): KubeObject {
  const { name, namespace } = parseId(request.id);
  const type = parseType(request.type);
  const named = withField(
    { apiVersion: apiVersionOf(live) || type.apiVersion, kind: kindOf(live) || type.kind, metadata: {} },
    ["metadata", "name"],
    name,
  );
  return namespace ? withField(named, ["metadata", "namespace"], namespace) : named;
}

/** The answer is the object, or a status with its uid. */
function identityOf(object: KubeObject, answer: KubeObject): KubeObject {
  const uid = text(answer, "metadata", "uid") || text(answer, "details", "uid");
  return uid ? withField(object, ["metadata", "uid"], uid) : object;
}
