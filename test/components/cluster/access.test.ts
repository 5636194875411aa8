import { expect } from "chai";
import { Access } from "../../../components/cluster/access";
import { rbacPolicies } from "../../../policy/rbac";
import { types } from "../../support/components";
import { register, type JsonObject } from "../../support/mocks";
import { configurations, networkOf } from "../../support/network";
import { outcome } from "../../support/policy";
import { rulesOf, type Rule } from "../../support/rights";
import { changed, complaint, load } from "../../support/settings";
import { get, text } from "../../support/workloads";

const roleBinding = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding";
const namespaces = {
  gateway: { namespace: "gateway", standard: "restricted" },
  inventory: { namespace: "inventory", standard: "restricted" },
  logging: { namespace: "logging", standard: "privileged" },
} as const;

async function access(groups: { viewers?: string[]; operators?: string[]; admins?: string[] } = {}) {
  const settings = { viewers: [], operators: [], admins: [], ...groups };
  return register(() => new Access("access", { settings, namespaces }));
}

async function roles(): Promise<Record<"viewer" | "operator" | "admin" | "nodeAgentAdmin", Rule[]>> {
  const { one } = await access();
  const of = (role: string) => rulesOf(one(types.clusterRole, `access-${role}`));
  const [viewer, operator, admin] = [of("viewer"), of("operator"), of("admin")];
  return { viewer, operator, admin, nodeAgentAdmin: of("node-agent-admin") };
}

function may(rules: readonly Rule[], verb: string, resource: string, group = "", name?: string): boolean {
  return rules.some(
    (rule) =>
      rule.verbs.includes(verb) &&
      rule.resources.includes(resource) &&
      rule.apiGroups.includes(group) &&
      (rule.resourceNames.length === 0 || (name !== undefined && rule.resourceNames.includes(name))),
  );
}

describe("the roles of people", () => {
  it("are bound to the groups that the settings name, in the platform's namespaces and nowhere else", async () => {
    const { all } = await access({ viewers: ["developers", "support"], admins: ["platform"] });
    const bound = all(roleBinding).map(({ inputs }) => {
      const subjects = (inputs.subjects as JsonObject[]).map(({ kind, name }) => [kind, name].join(" "));
      const role = [get(inputs, "roleRef", "kind"), get(inputs, "roleRef", "name")].join(" ");
      return `${role} in ${text(get(inputs, "metadata", "namespace"))}: ${subjects.join(", ")}`;
    });
    expect(bound.sort()).to.deep.equal([
      "ClusterRole technova-admin in gateway: Group platform",
      "ClusterRole technova-admin in inventory: Group platform",
      "ClusterRole technova-node-agent-admin in logging: Group platform",
      "ClusterRole technova-viewer in gateway: Group developers, Group support",
      "ClusterRole technova-viewer in inventory: Group developers, Group support",
      "ClusterRole technova-viewer in logging: Group developers, Group support",
    ]);
    expect(all("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")).to.deep.equal([]);
    expect((await access()).all(roleBinding)).to.deep.equal([]);
  });

  it("are in every namespace of a stack", async () => {
    const { resources, namespaces: made } = await networkOf(configurations.production?.() ?? {});
    const admins = resources.filter(({ name }) => /^cluster-access-(node-agent-)?admin-/.test(name));
    expect(admins.map(({ inputs }) => text(get(inputs, "metadata", "namespace"))).sort()).to.deep.equal(
      [...made].sort(),
    );
  });

  it("let everybody read whatever a stack has in its namespaces but Secrets, and admins change it but rights", async () => {
    const { viewer, operator, admin } = await roles();
    for (const [stack, config] of Object.entries(configurations)) {
      const { resources, namespaces: made } = await networkOf(config());
      const kinds = resources.flatMap(({ type, inputs }): [string, string][] => {
        const [, apiVersion = "", kind = ""] = /^kubernetes:(.*):(.*)$/.exec(type) ?? [];
        if (kind === "CustomResourceDefinition" && get(inputs, "spec", "scope") === "Namespaced") {
          const plural = text(get(inputs, "spec", "names", "plural")) ?? "";
          return [[text(get(inputs, "spec", "group")) ?? "", plural]];
        }
        const namespace = text(get(inputs, "metadata", "namespace"));
        if (namespace === undefined || !made.includes(namespace)) return [];
        const [group = ""] = apiVersion.split("/");
        // The program patches some objects that something else makes.
        const plural = kind
          .replace(/Patch$/, "")
          .toLowerCase()
          .replace(/(?<=[^aeiou])y$/, "ie")
          .concat("s");
        return [[group === "core" ? "" : group, plural]];
      });
      expect(kinds.length).to.be.greaterThan(20);
      for (const [group, plural] of kinds) {
        const what = `${group}/${plural} in ${stack}`;
        // Whoever reads the answer of a download has the backup, Secrets included.
        const readable = !["secrets", "downloadrequests"].includes(plural);
        for (const verb of ["get", "list", "watch"]) {
          expect(may(viewer, verb, plural, group), `viewer ${verb} ${what}`).to.equal(readable);
          expect(may(operator, verb, plural, group), `operator ${verb} ${what}`).to.equal(readable);
          expect(may(admin, verb, plural, group), `admin ${verb} ${what}`).to.equal(true);
        }
        for (const verb of ["create", "update", "patch", "delete"]) {
          const changes = group !== "rbac.authorization.k8s.io";
          expect(may(viewer, verb, plural, group), `viewer ${verb} ${what}`).to.equal(false);
          expect(may(admin, verb, plural, group), `admin ${verb} ${what}`).to.equal(changes);
        }
      }
    }
  });

  it("let an operator steer a release and renew Pods, and nothing that would be an admin's", async () => {
    const { operator } = await roles();
    const argo = "argoproj.io";
    for (const resource of ["rollouts", "rollouts/status", "rollouts/scale"])
      expect(may(operator, "patch", resource, argo), resource).to.equal(true);
    expect(may(operator, "patch", "deployments/scale", "apps")).to.equal(true);
    expect(may(operator, "delete", "pods")).to.equal(true);
    expect(may(operator, "get", "pods/log")).to.equal(true);
    expect(may(operator, "patch", "configmaps", "", "inventory-releases")).to.equal(true);
    expect(may(operator, "patch", "configmaps", "", "another")).to.equal(false);
    const refused: readonly [string, string, string?][] = [
      ["get", "secrets"],
      ["list", "secrets"],
      ["create", "pods"],
      ["create", "pods/exec"],
      ["get", "pods/exec"],
      ["create", "pods/portforward"],
      ["patch", "deployments", "apps"],
      ["patch", "statefulsets", "apps"],
      ["create", "jobs", "batch"],
      ["create", "rolebindings", "rbac.authorization.k8s.io"],
    ];
    for (const [verb, resource, group] of refused)
      expect(may(operator, verb, resource, group), `${verb} ${resource}`).to.equal(false);
  });

  it("make no admin root on the nodes: where Pods look into these they write no Pod, and open no session in one", async () => {
    const { nodeAgentAdmin, operator } = await roles();
    for (const [group, ...resources] of [
      [
        "",
        "pods",
        "pods/exec",
        "pods/attach",
        "pods/ephemeralcontainers",
        "replicationcontrollers",
        "secrets",
      ],
      ["apps", "daemonsets", "deployments", "statefulsets", "replicasets"],
      ["batch", "jobs", "cronjobs"],
    ] as const) {
      for (const resource of resources) {
        for (const verb of ["create", "update", "patch"])
          expect(may(nodeAgentAdmin, verb, resource, group), `${verb} ${resource}`).to.equal(false);
      }
    }
    expect(may(nodeAgentAdmin, "get", "secrets")).to.equal(false);
    expect(may(nodeAgentAdmin, "create", "backups", "velero.io")).to.equal(true);
    expect(may(nodeAgentAdmin, "get", "downloadrequests", "velero.io")).to.equal(true);
    expect(may(operator, "create", "backups", "velero.io")).to.equal(false);
  });

  it("contain one another, and nobody can take rights that the settings do not give", async () => {
    const { viewer, operator, admin, nodeAgentAdmin } = await roles();
    const inAll = (some: readonly Rule[], more: readonly Rule[]) =>
      some.every(({ apiGroups, resources, verbs, resourceNames }) =>
        apiGroups.every((group) =>
          resources.every((resource) =>
            verbs.every((verb) => may(more, verb, resource, group, resourceNames[0])),
          ),
        ),
      );
    expect(inAll(viewer, operator), "viewer in operator").to.equal(true);
    expect(inAll(operator, admin), "operator in admin").to.equal(true);
    expect(inAll(operator, nodeAgentAdmin), "operator in the other admin").to.equal(true);
    expect(inAll(nodeAgentAdmin, admin), "the other admin in admin").to.equal(true);
    expect(may(admin, "create", "pods/exec") && may(admin, "get", "secrets")).to.equal(true);
    for (const verb of ["create", "get"]) expect(may(admin, verb, "serviceaccounts/token")).to.equal(false);
    for (const rules of [viewer, operator, admin, nodeAgentAdmin]) {
      const verbs = new Set(rules.flatMap((rule) => rule.verbs));
      for (const verb of ["*", "bind", "escalate", "impersonate"]) expect(verbs.has(verb)).to.equal(false);
    }
  });

  it("pass the policies about rights", async () => {
    const { resources } = await access({ viewers: ["a"], operators: ["b"], admins: ["c"] });
    for (const { type, inputs } of resources.filter((each) => each.type.startsWith("kubernetes:"))) {
      for (const policy of rbacPolicies) {
        expect(outcome(policy, type, inputs), policy.name).to.deep.equal({ violations: [], undecided: [] });
      }
    }
  });

  it("are given to groups of people only, each named once", async () => {
    const set = (groups: object) => changed("technova:cluster.access", groups);
    const names = [
      "technova:on-call",
      "Platform Admins",
      "CN=ops,OU=it",
      "2f0c1e9a-7a51-4d2f-8a9c-6d3b1a2c4e5f",
    ];
    expect((await load(set({ operators: names }))).cluster.access).to.deep.equal({
      viewers: [],
      operators: names,
      admins: [],
    });
    for (const name of ["", " ", "a ", "system:masters", "system:authenticated", "System:masters", 7]) {
      const message = await complaint(set({ admins: ["ok", name] }));
      expect(message).to.include("technova:cluster.access.admins[1]: got");
      expect(message).to.include('none of Kubernetes\' own, which start with "system:"');
    }
    expect(await complaint(set({ viewers: ["a"], admins: ["a"] }))).to.include(
      'technova:cluster.access.admins[0]: got "a"; it takes each group once; this one is among the viewers already',
    );
    expect(await complaint(set({ viewers: "a" }))).to.include("it takes a list of groups");
    expect(await complaint(set({ readers: [] }))).to.include("known are viewers, operators, admins");
  });
});
