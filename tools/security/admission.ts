import { field, nameOf, text } from "../plugins/kubernetes/object";
import { answer, off, Unanswered, type Answer } from "./control";
import type { Evidence } from "./evidence";

/** Every admission policy of the state is there, refuses when it cannot be asked, and is bound so that it denies. */
export async function admission(evidence: Evidence): Promise<Answer> {
  if (evidence.setting("cluster", "admission", "enabled") === false)
    return off("technova:cluster.admission.enabled is false");
  if (evidence.setting("cluster", "admission", "action") === "audit")
    return off("technova:cluster.admission.action is audit: what breaks a rule is told, and let in");
  const wanted = evidence.objects("ValidatingAdmissionPolicy").map(nameOf);
  if (wanted.length === 0)
    throw new Unanswered("the state has no admission policy: the stack is not deployed");
  const [policies, bindings] = await Promise.all([
    evidence.cluster.list("ValidatingAdmissionPolicy"),
    evidence.cluster.list("ValidatingAdmissionPolicyBinding"),
  ]);
  const wrong = wanted.flatMap((name) => {
    const policy = policies.find((each) => nameOf(each) === name);
    if (policy === undefined) return [`${name} is not there`];
    const failure = text(policy, "spec", "failurePolicy");
    const denies = bindings.some((binding) => {
      const actions = field(binding, "spec", "validationActions");
      return (
        text(binding, "spec", "policyName") === name && Array.isArray(actions) && actions.includes("Deny")
      );
    });
    return [
      ...(failure === "Fail" ? [] : [`${name}: failurePolicy is ${failure}, must be Fail`]),
      ...(denies ? [] : [`${name} is bound by nothing that denies`]),
    ];
  });
  return answer(`${wanted.length} ValidatingAdmissionPolicies and their bindings`, wrong);
}
