import type { CheckFailure, CheckRequest, CheckResult } from "../../rpc/provider";
import { Annotations } from "../annotations";
import { parseWaitFor } from "../await/wait-for";
import { markSecrets, toObject } from "../checkpoint";
import { isListType, isPatch } from "../kinds";
import { adoptName, assignName, isNamed, keepManagedByLabel } from "../naming";
import { normalizeInputs } from "../normalize";
import { annotation, field, isCustomResourceDefinition, kindOf, texts, withField } from "../object";
import type { KubeObject } from "../object";
import { announce, isNamespaced, type Session } from "../session";

/** Brings a program's inputs into their final form: named, in a namespace, normalized. */
export async function check(session: Session, request: CheckRequest): Promise<CheckResult> {
  const { settings, link } = session;
  const isNew = Object.keys(request.olds).length === 0;
  if (settings.skipUpdateUnreachable && !isNew && (await link.connect()).reason) {
    request.log("warning", "the cluster cannot be reached and skipUpdateUnreachable is set: left as it is");
    return { inputs: request.olds };
  }
  if (isListType(request.type)) {
    throw new Error(`${request.type} is a list and cannot be created: declare the objects in it one by one`);
  }
  const given = toObject(request.news);
  let inputs = normalizeInputs(given);
  warnOfSurprises(given, inputs, session, request);

  if (isPatch(request.type, kindOf(inputs)) && !isNamed(inputs)) {
    throw new Error("a patch resource needs the name of the object that it patches: set metadata.name");
  }
  const old = toObject(request.olds);
  inputs = isNew ? assignName(inputs, request) : keepManagedByLabel(adoptName(inputs, old), old);
  if (field(inputs, "metadata", "namespace") === undefined && (await isNamespaced(session, inputs))) {
    inputs = withField(inputs, ["metadata", "namespace"], link.namespace);
  }
  if (isCustomResourceDefinition(inputs)) announce(session, inputs);
  return { inputs: markSecrets(inputs, request.news), failures: annotationFailures(inputs) };
}

function annotationFailures(inputs: KubeObject): CheckFailure[] {
  const waitFor = annotation(inputs, Annotations.waitFor);
  if (!waitFor) return [];
  try {
    parseWaitFor(waitFor);
    return [];
  } catch (error) {
    return [{ property: `metadata.annotations["${Annotations.waitFor}"]`, reason: (error as Error).message }];
  }
}

function warnOfSurprises(
  given: KubeObject,
  inputs: KubeObject,
  { settings }: Session,
  { log }: CheckRequest,
): void {
  const annotations = texts(given, "metadata", "annotations");
  if (Annotations.autonamed in annotations) {
    log("warning", `the annotation ${Annotations.autonamed} is the provider's own and is ignored`);
  }
  const hooks = annotations["helm.sh/hook"] ?? "";
  if (/test/.test(hooks) && !settings.suppressHelmHookWarnings) {
    log("warning", `the Helm hook ${hooks} of this object is not run: it is created like any other object`);
  }
  const lost = missingKeys(given, inputs).filter((key) => !["stringData", "status"].includes(key));
  if (lost.length > 0) log("warning", `${kindOf(given)} has no field ${lost.join(", ")}; it is left out`);
}

function missingKeys(given: KubeObject, inputs: KubeObject): string[] {
  const spec = (object: KubeObject) =>
    Object.entries((field(object, "spec") as KubeObject | undefined) ?? {});
  const kept = new Set(spec(inputs).map(([key]) => key));
  const meaningful = spec(given).filter(
    ([, value]) => value !== null && value !== false && value !== "" && value !== 0,
  );
  return meaningful
    .filter(([key, value]) => !kept.has(key) && !isEmptyContainer(value))
    .map(([key]) => `spec.${key}`);
}

function isEmptyContainer(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
