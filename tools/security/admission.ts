import { field, nameOf, text, type KubeObject } from "../plugins/kubernetes/object";
import type { PropertyMap } from "../plugins/rpc/values";
import { answer, off, Unanswered, type Answer } from "./control";
import type { Evidence } from "./evidence";
import { inOneForm } from "./oneForm";

/**
 * Every admission policy of the state is there with the state's rules, refuses when it cannot be asked, and is bound so
 * that it denies all that the state has it deny.
 */
export async function admission(evidence: Evidence): Promise<Answer> {
  if (evidence.setting("cluster", "admission", "enabled") === false)
    return off("technova:cluster.admission.enabled is false");
  if (evidence.setting("cluster", "admission", "action") === "audit")
    return off("technova:cluster.admission.action is audit: what breaks a rule is told, and let in");
  const wanted = evidence.objects("ValidatingAdmissionPolicy");
  if (wanted.length === 0)
    throw new Unanswered("the state has no admission policy: the stack is not deployed");
  const [policies, bindings] = await Promise.all([
    evidence.cluster.list("ValidatingAdmissionPolicy"),
    evidence.cluster.list("ValidatingAdmissionPolicyBinding"),
  ]);
  const stated = evidence.objects("ValidatingAdmissionPolicyBinding");
  const wrong = wanted.flatMap((own) => {
    const name = nameOf(own);
    const policy = policies.find((each) => nameOf(each) === name);
    if (policy === undefined) return [`${name} is not there`];
    const failure = text(policy, "spec", "failurePolicy");
    const changed = parts.filter((part) => formOf(policy, part) !== formOf(own, part));
    return [
      ...(failure === "Fail" ? [] : [`${name}: failurePolicy is ${failure}, must be Fail`]),
      ...changed.map((part) => `${name}: ${part} is not the state's`),
      ...wrongBinding(name, stated.find(binds(name)), bindings.filter(binds(name))),
    ];
  });
  return answer(`${wanted.length} ValidatingAdmissionPolicies and their bindings`, wrong);
}

/** What a policy is about, and what it says of it. */
const parts = ["paramKind", "matchConstraints", "matchConditions", "variables", "validations"];
/** What a binding makes of it. */
const reach = ["paramRef", "matchResources"];

const binds = (name: string) => (binding: KubeObject) => text(binding, "spec", "policyName") === name;

/** Another binding takes nothing from one that denies, so one that is as wide as the state's is enough. */
function wrongBinding(
  name: string,
  own: KubeObject | undefined,
  live: readonly KubeObject[],
): readonly string[] {
  const denying = live.filter((binding) => {
    const actions = field(binding, "spec", "validationActions");
    return Array.isArray(actions) && actions.includes("Deny");
  });
  if (denying.length === 0) return [`${name} is bound by nothing that denies`];
  const whole = denying.some((binding) =>
    reach.every((part) => formOf(binding, part) === formOf(own ?? {}, part)),
  );
  return whole ? [] : [`${name} is bound to other resources than the state's`];
}

/** A part of the object's spec as one text, with what the API server fills in. */
function formOf(object: KubeObject, part: string): string {
  const value = field(object, "spec", part);
  const matches = part === "matchConstraints" || part === "matchResources";
  const whole = matches ? { ...everything, ...(value as PropertyMap | undefined) } : value;
  return inOneForm(whole, (map) => ("resources" in map ? { scope: "*", ...map } : map));
}

const everything = { matchPolicy: "Equivalent", namespaceSelector: {}, objectSelector: {} };
