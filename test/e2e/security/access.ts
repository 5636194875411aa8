import { expect } from "chai";
import { kubectl } from "../support/cluster";
import { allowed, serviceAccount, told, type Action } from "./reviews";

/** Namespaces of the platform, as the suite's stack has them. */
export const platform = [
  ...["gateway", "inventory", "delivery", "monitoring", "logging", "sealing", "falco"],
] as const;

export const rbac = "rbac.authorization.k8s.io";
export const verbs = (resource: string, ...list: string[]) => list.map((verb) => ({ verb, resource }));
export const change = ["create", "update", "patch", "delete"];

/** What could be turned into more rights, or into somebody else's secrets, in a namespace. */
const risky: readonly Action[] = [
  ...verbs("secrets", "get", "list", "watch", ...change),
  ...verbs("pods", "create"),
  ...["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy"].flatMap((resource) =>
    verbs(resource, "get", "create"),
  ),
  ...verbs("pods/ephemeralcontainers", "update", "patch"),
  ...verbs("serviceaccounts", "impersonate"),
  ...verbs("serviceaccounts/token", "create"),
  ...["apps/deployments", "apps/daemonsets", "apps/statefulsets", "apps/replicasets"].flatMap((resource) =>
    verbs(resource, "create", "update", "patch"),
  ),
  ...["batch/jobs", "batch/cronjobs"].flatMap((resource) => verbs(resource, "create", "update", "patch")),
  ...[`${rbac}/roles`, `${rbac}/rolebindings`].flatMap((resource) => verbs(resource, ...change)),
  ...verbs(`${rbac}/roles`, "bind", "escalate"),
];

/** The same for what is in no namespace. */
export const riskyEverywhere: readonly Action[] = [
  ...verbs("nodes/proxy", "get", "create"),
  ...verbs("nodes", "update", "patch"),
  ...verbs("namespaces", ...change),
  ...verbs("persistentvolumes", "create", "patch"),
  ...["users", "groups"].flatMap((resource) => verbs(resource, "impersonate")),
  ...verbs(`${rbac}/clusterroles`, ...change, "bind", "escalate"),
  ...verbs(`${rbac}/clusterrolebindings`, ...change),
  ...verbs("certificates.k8s.io/certificatesigningrequests", "create"),
  ...verbs("certificates.k8s.io/certificatesigningrequests/approval", "update"),
  ...verbs("admissionregistration.k8s.io/mutatingwebhookconfigurations", ...change),
  ...verbs("admissionregistration.k8s.io/validatingwebhookconfigurations", ...change),
];

const secretsIn = (...namespaces: string[]) =>
  namespaces.flatMap((namespace) =>
    ["get", "list", "watch"].map((verb) => told({ verb, resource: "secrets", namespace })),
  );

/**
 * The risky rights that an account has all the same, and why; every other has none. Names without what Pulumi adds.
 * The release's outcome may patch the one Secret whose owner it sets: reading it would be another right.
 */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  // Traefik cannot be told which Secrets have its certificates.
  "gateway/traefik-access-account": secretsIn("gateway", "inventory"),
  // Its keys are Secrets that nobody can name beforehand.
  "sealing/sealed-secrets-access-account": ["create", "list"].map((verb) =>
    told({ verb, resource: "secrets", namespace: "sealing" }),
  ),
  "delivery/argo-rollouts-account": [
    // What it is there for: Pods of a version, and Jobs that measure it.
    ...["create", "update", "patch"].flatMap((verb) =>
      ["apps/replicasets", "batch/jobs"].map((resource) => told({ verb, resource, namespace: "inventory" })),
    ),
  ],
};

/** No account of the platform's Pods can read Secrets or get itself more rights, but as listed. */
export async function accountsAreBounded(): Promise<void> {
  const accounts = await platformAccounts();
  const missing = Object.keys(exceptions).filter((known) => !accounts.some(({ key }) => key === known));
  expect(missing, "listed, and not there").to.deep.equal([]);
  const places = [...platform, "kube-system", "default", undefined];
  const actions = [
    ...places.flatMap((namespace) => risky.map((action) => ({ ...action, namespace }))),
    ...riskyEverywhere,
  ];
  for (const { key, namespace, name } of accounts) {
    const found = (await allowed(serviceAccount(namespace, name), actions)).map(told);
    expect(found.sort(), key).to.deep.equal([...(exceptions[key] ?? [])].sort());
  }
}

async function platformAccounts(): Promise<{ key: string; namespace: string; name: string }[]> {
  const { items } = JSON.parse(await kubectl("get", "serviceaccounts", "-A", "-o", "json")) as {
    items: { metadata: { namespace: string; name: string } }[];
  };
  return items
    .map(({ metadata: { namespace, name } }) => ({
      key: `${namespace}/${name.replace(/-[0-9a-f]{8}$/, "")}`,
      namespace,
      name,
    }))
    .filter(
      ({ key, namespace }) =>
        platform.some((each) => each === namespace) || key === "kube-system/metrics-server",
    );
}
