import type { Registered } from "./mocks";
import { get, list, text } from "./workloads";

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly verbs: readonly string[];
}

/** Rules that an account has, and the namespace in which; everywhere where it is left out. */
export interface Right extends Rule {
  readonly namespace?: string;
}

/** The name that an object has in the cluster: the mocks' where the program leaves it open. */
export function nameOf({ name, inputs }: Registered): string {
  return text(get(inputs, "metadata", "name")) ?? `${name}-1a2b3c4d`;
}

const namespaceOf = ({ inputs }: Registered): string | undefined =>
  text(get(inputs, "metadata", "namespace"));

const kindOf = ({ type }: Registered): string =>
  type.startsWith("kubernetes:") ? (type.split(":").at(-1) ?? "") : "";

/** Every service account of a stack, as `namespace/name`. */
export function accounts(resources: readonly Registered[]): string[] {
  return resources
    .filter((each) => kindOf(each) === "ServiceAccount")
    .map((each) => `${namespaceOf(each)}/${nameOf(each)}`);
}

export function rulesOf({ inputs }: Registered): Rule[] {
  return list(inputs.rules).map((rule) => ({
    apiGroups: list(get(rule, "apiGroups")).map(String),
    resources: list(get(rule, "resources")).map(String),
    resourceNames: list(get(rule, "resourceNames")).map(String),
    verbs: list(get(rule, "verbs")).map(String),
  }));
}

/** Rights by account. A role that the stack does not bring, such as one of Kubernetes' own, is a right without rules. */
export function rights(resources: readonly Registered[]): ReadonlyMap<string, readonly Right[]> {
  const found = new Map<string, Right[]>();
  for (const binding of resources.filter((each) => /^(Cluster)?RoleBinding$/.test(kindOf(each)))) {
    const namespace = namespaceOf(binding);
    const kind = text(get(binding.inputs, "roleRef", "kind"));
    const name = text(get(binding.inputs, "roleRef", "name"));
    const role = resources.find(
      (each) =>
        kindOf(each) === kind &&
        nameOf(each) === name &&
        (kind !== "Role" || namespaceOf(each) === namespace),
    );
    const rules =
      role === undefined
        ? [{ apiGroups: [], resources: [`as ${name}`], resourceNames: [], verbs: [] }]
        : rulesOf(role);
    for (const subject of list(binding.inputs.subjects)) {
      if (get(subject, "kind") !== "ServiceAccount") continue;
      const account = `${text(get(subject, "namespace"))}/${text(get(subject, "name"))}`;
      const own = found.get(account) ?? [];
      found.set(account, [...own, ...rules.map((rule) => ({ ...rule, namespace }))]);
    }
  }
  return found;
}
