import { changed, outcome, unknown } from "../support/policy";
import {
  noAdmissionChanges,
  noCertificateApproval,
  noNodeProxy,
  noPersistentVolumeRights,
  noPodExecution,
  noSecretsAccess,
  noTokenCreation,
} from "../../policy/rights";
import { expect } from "chai";
import type { Policy } from "../../policy/frame/policy";

const roles = ["Role", "ClusterRole"].map((kind) => `kubernetes:rbac.authorization.k8s.io/v1:${kind}`);
const read = ["get", "list", "watch"];

interface Cases {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  /** Of the same group. */
  readonly harmless: readonly (readonly [resource: string, verbs: readonly string[]])[];
  readonly refused?: readonly (readonly [resource: string, verb: string])[];
}

function describeRight(policy: Policy, { group, resource, verb, harmless, refused = [] }: Cases): void {
  for (const type of roles) {
    const rule = {
      apiGroups: ["other.example", group],
      resources: ["events", resource],
      verbs: ["other", verb],
    };
    const judged = (changes: object) => outcome(policy, type, { rules: [{ ...rule, ...changes }] });
    const violation = { violations: ["rules[0].resources[1]"], undecided: [] };

    describe(`${policy.name}: ${type}`, () => {
      it("refuses the right", () => {
        expect(judged({})).to.deep.equal(violation);
        for (const [other, otherVerb] of refused) {
          const found = judged({ resources: ["events", other], verbs: [otherVerb] });
          expect(found, `${otherVerb} ${other}`).to.deep.equal(violation);
        }
      });
      it("refuses it by wildcard", () => {
        expect(judged({ apiGroups: ["*"] })).to.deep.equal(violation);
        expect(judged({ verbs: ["*"] })).to.deep.equal(violation);
        const [kind, part] = resource.split("/");
        for (const entry of part === undefined ? ["*"] : ["*", `${kind}/*`, `*/${part}`]) {
          expect(judged({ resources: ["events", entry] }), entry).to.deep.equal(violation);
        }
      });
      it("accepts other rights, and none", () => {
        expect(judged({ apiGroups: ["other.example"] }).violations).to.be.empty;
        expect(judged({ resources: ["events"] }).violations).to.be.empty;
        for (const [other, verbs] of harmless) {
          expect(judged({ resources: [other], verbs }).violations, other).to.be.empty;
        }
        expect(outcome(policy, type, {}).violations).to.be.empty;
      });
      it("says so when a part is unknown and the others fit", () => {
        for (const key of ["apiGroups", "resources", "verbs"]) {
          for (const [value, at] of [
            [unknown, `rules[0].${key}`],
            [[unknown], `rules[0].${key}[0]`],
          ] as const) {
            expect(judged({ [key]: value })).to.deep.equal({ violations: [], undecided: [at] });
          }
        }
        expect(outcome(policy, type, { rules: unknown }).undecided).to.deep.equal(["rules"]);
      });
      it("does not care for unknown parts when another does not fit", () => {
        expect(judged({ apiGroups: ["other.example"], resources: unknown }).undecided).to.be.empty;
      });
    });
  }
}

describe("policy/rights", () => {
  describeRight(noSecretsAccess, {
    group: "",
    resource: "secrets",
    verb: "get",
    harmless: [
      ["secrets", ["create", "update"]],
      ["configmaps", [...read, "patch"]],
    ],
    refused: ["list", "watch", "patch", "delete", "deletecollection"].map(
      (verb) => ["secrets", verb] as const,
    ),
  });
  describeRight(noPodExecution, {
    group: "",
    resource: "pods/exec",
    verb: "create",
    harmless: [
      ["pods", read],
      ["pods/log", read],
      ["pods/ephemeralcontainers", ["get"]],
    ],
    refused: [
      ["pods/exec", "get"],
      ["pods/attach", "create"],
      ["pods/portforward", "create"],
      ["pods/ephemeralcontainers", "patch"],
    ],
  });
  describeRight(noTokenCreation, {
    group: "",
    resource: "serviceaccounts/token",
    verb: "create",
    harmless: [["serviceaccounts", ["create"]]],
  });
  describeRight(noAdmissionChanges, {
    group: "admissionregistration.k8s.io",
    resource: "validatingwebhookconfigurations",
    verb: "create",
    harmless: [["validatingwebhookconfigurations", read]],
    refused: ["update", "patch", "delete", "deletecollection"].map(
      (verb) => ["validatingadmissionpolicybindings", verb] as const,
    ),
  });
  describeRight(noPersistentVolumeRights, {
    group: "",
    resource: "persistentvolumes",
    verb: "create",
    harmless: [
      ["persistentvolumes", [...read, "delete"]],
      ["persistentvolumeclaims", ["create"]],
    ],
  });
  describeRight(noCertificateApproval, {
    group: "certificates.k8s.io",
    resource: "certificatesigningrequests/approval",
    verb: "update",
    harmless: [["certificatesigningrequests", ["create", "get"]]],
    refused: [
      ["certificatesigningrequests/status", "patch"],
      ["signers", "approve"],
      ["signers", "sign"],
    ],
  });

  describe(noNodeProxy.name, () => {
    const judged = (resource: string, verb: string) =>
      outcome(noNodeProxy, roles[1] ?? "", {
        rules: [{ apiGroups: [""], resources: [resource], verbs: [verb] }],
      }).violations;

    it("refuses every verb, by any name of the resource", () => {
      for (const verb of ["get", "create", "*"]) expect(judged("nodes/proxy", verb)).to.have.length(1);
      for (const resource of ["nodes/*", "*/proxy", "*"]) expect(judged(resource, "get")).to.have.length(1);
    });
    it("accepts metrics", () => {
      for (const resource of ["nodes", "nodes/metrics"]) expect(judged(resource, "get")).to.be.empty;
    });
    it("says so when a resource is unknown", () => {
      const rules = [{ apiGroups: [""], resources: [unknown], verbs: ["get"] }];
      expect(outcome(noNodeProxy, roles[0] ?? "", { rules }).undecided).to.deep.equal([
        "rules[0].resources[0]",
      ]);
    });
  });

  for (const kind of ["RoleBinding", "ClusterRoleBinding"]) {
    describe(`${noSecretsAccess.name}: ${kind}`, () => {
      const judged = (roleRef: object) =>
        outcome(noSecretsAccess, `kubernetes:rbac.authorization.k8s.io/v1:${kind}`, { roleRef });

      it("refuses Kubernetes' own roles that read Secrets", () => {
        for (const name of ["admin", "edit", "system:aggregate-to-edit", "system:node"]) {
          expect(judged({ kind: "ClusterRole", name }).violations, name).to.deep.equal(["roleRef.name"]);
        }
      });
      it("accepts others, and a namespace's own of such a name", () => {
        for (const name of ["view", "technova-admin", "system:auth-delegator"]) {
          expect(judged({ kind: "ClusterRole", name }).violations, name).to.be.empty;
        }
        expect(judged({ kind: "Role", name: "admin" }).violations).to.be.empty;
      });
      it("says so when the role is unknown", () => {
        expect(judged({ kind: "ClusterRole", name: unknown }).undecided).to.deep.equal(["roleRef.name"]);
        expect(judged({ kind: unknown, name: "edit" }).undecided).to.deep.equal(["roleRef.kind"]);
      });
    });
  }

  describe(`${noSecretsAccess.name}: by name`, () => {
    const rule = { apiGroups: [""], resources: ["secrets"], verbs: ["get"] };
    const judged = (names: unknown, verb = "get") =>
      outcome(noSecretsAccess, roles[0] ?? "", {
        rules: [changed({ ...rule, verbs: [verb] }, ["resourceNames"], names)],
      });

    it("accepts Secrets by name, also when a name is unknown", () => {
      for (const names of [["database"], [unknown]]) {
        expect(judged(names)).to.deep.equal({ violations: [], undecided: [] });
      }
    });
    it("accepts a list, a change and a deletion of Secrets by name", () => {
      for (const verb of ["list", "watch", "patch", "delete"]) {
        expect(judged(["database"], verb).violations, verb).to.be.empty;
      }
    });
    it("refuses an empty list", () => expect(judged([]).violations).to.have.length(1));
    it("refuses an empty name, which a request for all Secrets has", () => {
      for (const names of [[""], ["database", ""], [null]]) {
        for (const verb of ["list", "watch", "deletecollection"]) {
          expect(judged(names, verb).violations, `${verb} ${JSON.stringify(names)}`).to.have.length(1);
        }
      }
    });
    it("says so when it is unknown whether there are names", () => {
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: ["rules[0].resourceNames"] });
    });
  });
});
