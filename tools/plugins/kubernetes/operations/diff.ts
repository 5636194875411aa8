import type { DiffRequest, DiffResult } from "../../rpc/provider";
import { Annotations, isOn } from "../annotations";
import { job } from "../await/job";
import { readCheckpoint, toObject } from "../checkpoint";
import { detailedDiff, withoutIgnored } from "../diff";
import { immutableFields } from "../force-new";
import { isPatch } from "../kinds";
import { isAutonamed, isNamed } from "../naming";
import { normalizeInputs } from "../normalize";
import { apiVersionOf, field, kindOf, nameOf, namespaceOf, withField, type KubeObject } from "../object";
import { prune } from "../prune";
import { isNamespaced, type Session } from "../session";

/**
 * Compares the new inputs with the live object as it was last seen, as far as the old inputs reach: fields that
 * the cluster filled in do not count, drift in fields of the program does.
 */
export async function diff(session: Session, request: DiffRequest): Promise<DiffResult> {
  const old = readCheckpoint(request.olds);
  const oldInputs = normalizeInputs(old.inputs);
  let before = prune(old.live, oldInputs);
  let after = normalizeInputs(toObject(request.news));

  const namespaced = await isNamespaced(session, after);
  before = inNamespace(before, namespaced);
  after = inNamespace(after, namespaced);
  for (const key of ["apiVersion", "kind"])
    if (!(key in before)) before = { ...before, [key]: after[key] ?? null };
  before = withField(before, ["metadata", "resourceVersion"], undefined);
  // A program may start to give the name that the object has already.
  if (nameOf(after)) before = withField(before, ["metadata", "name"], nameOf(old.live));

  const immutable = isPatch(request.type, kindOf(after))
    ? ["metadata.name", "metadata.namespace"]
    : immutableFields(after, session.settings);
  const detailed = withoutIgnored(detailedDiff(before, after, immutable), request.ignoreChanges);
  const replaces = Object.entries(detailed)
    .filter(([path, { kind }]) => kind.endsWith("-replace") || (kind === "delete" && path === "metadata"))
    .map(([path]) => path);
  if (await isUnreadyJob(session, request, after, old.live)) {
    replaces.push(`.metadata.annotations["${Annotations.replaceUnready}"]`);
  }
  return {
    changes: Object.keys(detailed).length > 0 || replaces.length > 0,
    replaces,
    detailed,
    deleteBeforeReplace: replaces.length > 0 && keepsItsName(after, old.live),
  };
}

/** The namespace "default" and none are the same; what is in no namespace has none. */
function inNamespace(object: KubeObject, namespaced: boolean): KubeObject {
  if (!namespaced) return withField(object, ["metadata", "namespace"], undefined);
  return field(object, "metadata", "namespace") === undefined || field(object, "metadata", "namespace") === ""
    ? withField(object, ["metadata", "namespace"], "default")
    : object;
}

/** Two objects cannot have one name, so the old one has to go first when the program fixes it. */
function keepsItsName(after: KubeObject, live: KubeObject): boolean {
  return (
    isNamed(after) &&
    !isAutonamed(after) &&
    nameOf(after) === nameOf(live) &&
    namespaceOf(after) === namespaceOf(live)
  );
}

async function isUnreadyJob(
  { link }: Session,
  { log }: DiffRequest,
  after: KubeObject,
  live: KubeObject,
): Promise<boolean> {
  if (!isOn(after, Annotations.replaceUnready)) return false;
  if (kindOf(after) !== "Job") {
    log("warning", `${Annotations.replaceUnready} works for a Job only; it is ignored here`);
    return false;
  }
  const { api } = await link.connect();
  if (!api) return false;
  try {
    return !job.judge(await api.get({ ...live, apiVersion: apiVersionOf(after) }), []).ready;
  } catch {
    return false;
  }
}
