import { kindOf, list, nameOf, namespaceOf, text, type KubeObject } from "../plugins/kubernetes/object";
import type { Action, Subject } from "./cluster";
import { answer, atLeastOne, counted, type Answer } from "./control";
import type { Evidence } from "./evidence";

/** What could become more than it looks like, in each namespace. */
const risky: readonly Omit<Action, "namespace">[] = [
  ...["get", "list"].map((verb) => ({ verb, group: "", resource: "secrets" })),
  { verb: "create", group: "", resource: "pods" },
  { verb: "create", group: "", resource: "pods/exec" },
  { verb: "create", group: "", resource: "serviceaccounts/token" },
  { verb: "patch", group: "apps", resource: "deployments" },
  { verb: "create", group: "batch", resource: "jobs" },
  { verb: "create", group: "rbac.authorization.k8s.io", resource: "rolebindings" },
  { verb: "patch", group: "rbac.authorization.k8s.io", resource: "roles" },
  { verb: "delete", group: "networking.k8s.io", resource: "networkpolicies" },
];

/** The same for the whole cluster. */
const riskyEverywhere: readonly Action[] = [
  { verb: "get", group: "", resource: "nodes/proxy", namespace: "" },
  { verb: "impersonate", group: "", resource: "users", namespace: "" },
  { verb: "patch", group: "", resource: "namespaces", namespace: "" },
  {
    verb: "patch",
    group: "admissionregistration.k8s.io",
    resource: "validatingadmissionpolicies",
    namespace: "",
  },
  { verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterrolebindings", namespace: "" },
];

export function riskyActions(namespaces: readonly string[]): readonly Action[] {
  return [
    ...namespaces.flatMap((namespace) => risky.map((action) => ({ ...action, namespace }))),
    ...riskyEverywhere,
  ];
}

export function accountSubject(namespace: string, name: string): Subject {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  };
}

/** An action in one line. */
export function told({ verb, group, resource, namespace }: Action): string {
  const kind = group === "" ? resource : `${resource}.${group}`;
  return `${verb} ${kind} in ${namespace === "" ? "the cluster" : namespace}`;
}

/** Whether roles and bindings give an account a right, by themselves: what the API server adds to it is not known. */
export function gives(
  objects: readonly KubeObject[],
  account: { readonly namespace: string; readonly name: string },
  action: Action,
): boolean {
  return objects
    .filter((object) => /^(Cluster)?RoleBinding$/.test(kindOf(object)))
    .filter(
      (binding) => kindOf(binding) === "ClusterRoleBinding" || namespaceOf(binding) === action.namespace,
    )
    .filter((binding) =>
      list(binding, "subjects").some(
        (subject) =>
          text(subject, "kind") === "ServiceAccount" &&
          text(subject, "name") === account.name &&
          text(subject, "namespace") === account.namespace,
      ),
    )
    .some((binding) => rulesOf(objects, binding).some((rule) => allows(rule, action)));
}

function rulesOf(objects: readonly KubeObject[], binding: KubeObject): readonly KubeObject[] {
  const kind = text(binding, "roleRef", "kind");
  const name = text(binding, "roleRef", "name");
  return objects
    .filter((role) => kindOf(role) === kind && nameOf(role) === name)
    .filter((role) => kind === "ClusterRole" || namespaceOf(role) === namespaceOf(binding))
    .flatMap((role) => list(role, "rules"));
}

/** A rule that names its objects gives no right over all of them. */
function allows(rule: KubeObject, { verb, group, resource }: Action): boolean {
  const has = (key: string, value: string) => {
    const entries = rule[key];
    return Array.isArray(entries) && (entries.includes(value) || entries.includes("*"));
  };
  return (
    !Array.isArray(rule.resourceNames) &&
    has("verbs", verb) &&
    has("apiGroups", group) &&
    has("resources", resource)
  );
}

/** No account may do what is risky and the roles of the state do not give it. */
export async function accountsAreBounded(evidence: Evidence): Promise<Answer> {
  const namespaces = evidence.namespaces();
  const found = await evidence.cluster.listIn("ServiceAccount", namespaces);
  const accounts = atLeastOne(found, "service account");
  const stated = evidence.sources.state.objects.map(({ wanted }) => wanted);
  const actions = riskyActions(namespaces);
  const wrong: string[] = [];
  for (const account of accounts) {
    const [namespace, name] = [namespaceOf(account), nameOf(account)];
    const may = await evidence.cluster.allowed(accountSubject(namespace, name), actions);
    const more = may.filter((action) => !gives(stated, { namespace, name }, action));
    wrong.push(...more.map((action) => `ServiceAccount ${namespace}/${name} may ${told(action)}`));
  }
  return answer(
    `${counted(accounts.length, "service account")}, ${actions.length} questions about each`,
    wrong,
  );
}
