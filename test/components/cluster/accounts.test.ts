import { expect } from "chai";
import { configurations, networkOf, type Network } from "../../support/network";
import { accounts, rights, type Right } from "../../support/rights";
import { get, list, text, type Workload } from "../../support/workloads";

/** What an account may do that could become more, by `account: group/resource verbs in namespace`. */
const powers: readonly string[] = [
  // Traefik cannot be told which Secrets have its certificates.
  "gateway/traefik-access-account: secrets get,list,watch in gateway",
  "gateway/traefik-access-account: secrets get,list,watch in inventory",
  // The controller insists on watching the Secret of its notifications, which there is none of.
  "delivery/argo-rollouts-account: secrets list,watch of one in delivery",
  // Releases are Pods by way of these.
  "delivery/argo-rollouts-account: apps/replicasets create,delete,patch,update in inventory",
  "delivery/argo-rollouts-account: batch/jobs create,delete,patch,update in inventory",
  "delivery/argo-rollouts-account: pods update in inventory",
  // Keys to unseal with are made, and found by their label.
  "sealing/sealed-secrets-access-account: secrets create,list in sealing",
  "sealing/sealed-secrets-access-account: secrets get of one in sealing",
  // Makes one Secret live as long as the version that reads it does.
  "inventory/inventory-release-outcome-account: secrets patch of one in inventory",
  // Velero reads what it keeps: Kubernetes' own kinds by name, of these groups all. No Secret is among them.
  ...[
    ...["admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps"],
    ...["argoproj.io", "autoscaling", "batch", "certificates.k8s.io", "flowcontrol.apiserver.k8s.io"],
    ...["gateway.networking.k8s.io", "networking.k8s.io", "node.k8s.io", "policy"],
    ...["rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "traefik.io"],
    "velero.io",
  ].map((group) => `backup/velero: ${group}/* get,list in every namespace`),
  // It finds the keys of its stores by watching all of its namespace, and tidies up the stores in Jobs.
  "backup/velero: secrets get,list,watch in backup",
  "backup/velero: batch/jobs create,delete in backup",
  // A Pod for each volume that is copied.
  "backup/velero-node-agent: secrets get,list,watch in backup",
  "backup/velero-node-agent: pods create,delete in backup",
];

/** Whose token goes into every Pod that runs as them: Velero makes Pods, and does not ask for it in each. */
const automatic = ["velero-server-account", "velero-node-agent-account"];

describe("service accounts", () => {
  for (const [name, config] of Object.entries(configurations)) {
    describe(`of ${name}`, () => {
      let network: Network;
      let held: ReturnType<typeof rights>;
      before(async () => {
        network = await networkOf(config());
        held = rights(network.resources);
      });

      it("are one for each workload, and each Pod names its own", () => {
        const users = new Map<string, Set<string>>();
        for (const workload of network.workloads) {
          const account = accountOf(workload);
          users.set(account, (users.get(account) ?? new Set()).add(roleOf(workload)));
        }
        const shared = [...users].filter(([, roles]) => roles.size > 1);
        expect(shared.map(([account, roles]) => `${account}: ${[...roles].join(", ")}`)).to.deep.equal([]);
        const known = accounts(network.resources);
        expect([...users.keys()].filter((account) => !known.includes(account))).to.deep.equal([]);
      });

      it("give a token to no Pod that has no rights, and to each that has", () => {
        for (const workload of network.workloads) {
          const expected = held.has(accountOf(workload));
          expect(workload.spec.automountServiceAccountToken, workload.name).to.equal(expected);
          const projected = list(workload.spec.volumes)
            .flatMap((volume) => list(get(volume, "projected", "sources")))
            .filter((source) => get(source, "serviceAccountToken") !== null);
          if (!expected) expect(projected, workload.name).to.deep.equal([]);
        }
        for (const { type, name: resource, inputs } of network.resources) {
          if (type.endsWith(":ServiceAccount"))
            expect(inputs.automountServiceAccountToken, resource).to.equal(automatic.includes(resource));
        }
      });

      it("have rights only where a workload uses them, and each right is somebody's", () => {
        const used = new Set(network.workloads.map(accountOf));
        expect([...held.keys()].filter((account) => !used.has(account))).to.deep.equal([]);
      });

      it("can become more only by what is listed here", () => {
        const found = [...held].flatMap(([account, own]) => dangerous(account, own));
        expect(found.filter((power) => !powers.includes(power))).to.deep.equal([]);
      });
    });
  }
});

const changing = new Set(["create", "delete", "deletecollection", "patch", "update"]);
const reading = new Set(["get", "list", "watch"]);
/** Kinds by which somebody starts Pods, and so has what every Secret and account of the namespace has. */
const starting = new Set([
  ...["pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers"],
  ...["apps/daemonsets", "apps/deployments", "apps/replicasets", "apps/statefulsets"],
  ...["batch/jobs", "batch/cronjobs"],
]);

function dangerous(account: string, own: readonly Right[]): string[] {
  return own.flatMap(({ apiGroups, resources, resourceNames, verbs, namespace = "every namespace" }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => {
        const full = group === "" ? resource : `${group}/${resource}`;
        const risky = verbs.filter((verb) => isRisky(group, full, verb)).sort();
        if (risky.length === 0) return [];
        const which = resourceNames.length === 1 ? " of one" : "";
        const who = account.replace(/-1a2b3c4d$/, "");
        return [`${who}: ${full} ${risky.join(",")}${which} in ${namespace}`];
      }),
    ),
  );
}

function isRisky(group: string, resource: string, verb: string): boolean {
  if (["*", "escalate", "bind", "impersonate"].includes(verb) || resource.includes("*") || group === "*")
    return true;
  if (resource === "secrets") return reading.has(verb) || changing.has(verb);
  if (
    /^(pods\/(exec|attach|portforward|proxy)|services\/proxy|nodes\/proxy|serviceaccounts\/token)$/.test(
      resource,
    )
  )
    return true;
  if (group === "rbac.authorization.k8s.io" || group === "certificates.k8s.io") return changing.has(verb);
  return starting.has(resource) && changing.has(verb);
}

function accountOf({ namespace, spec }: Workload): string {
  return `${namespace}/${text(spec.serviceAccountName) ?? "default"}`;
}

/** Jobs that are made again and again, and the pattern of one, are one workload. */
function roleOf({ namespace, labels, name }: Workload): string {
  const part = labels["app.kubernetes.io/component"];
  return part === undefined ? name : `${namespace}/${labels["app.kubernetes.io/name"]}/${part}`;
}
