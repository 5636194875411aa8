import { changed, outcome, unknown } from "../support/policy";
import {
  noAutomaticTokens,
  noClusterAdmin,
  noDefaultAccountRights,
  noRbacEscalation,
  noRightsForEverybody,
  noWildcardRbac,
} from "../../policy/rbac";
import { expect } from "chai";

const roleTypes = ["Role", "ClusterRole"].map((kind) => `kubernetes:rbac.authorization.k8s.io/v1:${kind}`);
const bindingTypes = ["RoleBinding", "ClusterRoleBinding"].map(
  (kind) => `kubernetes:rbac.authorization.k8s.io/v1:${kind}`,
);
const role = { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] };
const binding = {
  roleRef: { kind: "ClusterRole", name: "pod-reader" },
  subjects: [{ kind: "ServiceAccount", name: "metrics-server", namespace: "kube-system" }],
};

describe("policy/rbac", () => {
  for (const type of roleTypes) {
    describe(`${noWildcardRbac.name}: ${type}`, () => {
      it("accepts rights by name", () => expect(outcome(noWildcardRbac, type, role).violations).to.be.empty);
      it("accepts a role without rules", () =>
        expect(outcome(noWildcardRbac, type, {}).violations).to.be.empty);
      for (const key of ["apiGroups", "resources", "verbs", "nonResourceURLs"]) {
        it(`refuses a wildcard in ${key}`, () => {
          for (const wildcard of ["*", "pods/*", "/api/*"]) {
            const wrong = changed(role, ["rules", 0, key], ["get", wildcard]);
            expect(outcome(noWildcardRbac, type, wrong).violations).to.deep.equal([`rules[0].${key}[1]`]);
          }
        });
        it(`says so when ${key} is unknown`, () => {
          const unclear = changed(role, ["rules", 0, key], unknown);
          expect(outcome(noWildcardRbac, type, unclear).undecided).to.deep.equal([`rules[0].${key}`]);
        });
      }
      it("says so when the rules are unknown", () => {
        expect(outcome(noWildcardRbac, type, { rules: unknown }).undecided).to.deep.equal(["rules"]);
      });
      it("refuses the rights of other roles, whichever they are", () => {
        for (const selectors of [[{}], [{ matchLabels: { "example.com/aggregate": "true" } }], [unknown]]) {
          const aggregated = { aggregationRule: { clusterRoleSelectors: selectors } };
          expect(outcome(noWildcardRbac, type, aggregated)).to.deep.equal({
            violations: ["aggregationRule"],
            undecided: [],
          });
        }
        expect(outcome(noWildcardRbac, type, { ...role, aggregationRule: null }).violations).to.be.empty;
      });
      it("says so when it is unknown whether there are any", () => {
        const unclear = { ...role, aggregationRule: unknown };
        expect(outcome(noWildcardRbac, type, unclear).undecided).to.deep.equal(["aggregationRule"]);
      });
    });

    describe(`${noRbacEscalation.name}: ${type}`, () => {
      it("accepts other verbs", () => expect(outcome(noRbacEscalation, type, role).violations).to.be.empty);
      for (const verb of ["escalate", "bind", "impersonate"]) {
        it(`refuses ${verb}`, () => {
          const wrong = changed(role, ["rules", 0, "verbs"], ["get", verb]);
          expect(outcome(noRbacEscalation, type, wrong).violations).to.deep.equal(["rules[0].verbs[1]"]);
        });
      }
      it("says so when a verb is unknown", () => {
        const unclear = changed(role, ["rules", 0, "verbs"], [unknown]);
        expect(outcome(noRbacEscalation, type, unclear).undecided).to.deep.equal(["rules[0].verbs[0]"]);
      });
    });
  }

  for (const type of bindingTypes) {
    const subject = (kind: string, name: unknown) => changed(binding, ["subjects", 0], { kind, name });

    describe(`${noClusterAdmin.name}: ${type}`, () => {
      it("accepts another role", () => expect(outcome(noClusterAdmin, type, binding).violations).to.be.empty);
      it("refuses cluster-admin", () => {
        const wrong = changed(binding, ["roleRef", "name"], "cluster-admin");
        expect(outcome(noClusterAdmin, type, wrong).violations).to.deep.equal(["roleRef.name"]);
      });
      it("refuses system:masters", () => {
        const wrong = subject("Group", "system:masters");
        expect(outcome(noClusterAdmin, type, wrong).violations).to.deep.equal(["subjects[0].name"]);
      });
      it("says so when the role is unknown", () => {
        const unclear = changed(binding, ["roleRef", "name"], unknown);
        expect(outcome(noClusterAdmin, type, unclear).undecided).to.deep.equal(["roleRef.name"]);
      });
    });

    describe(`${noRightsForEverybody.name}: ${type}`, () => {
      it("accepts an account", () =>
        expect(outcome(noRightsForEverybody, type, binding).violations).to.be.empty);
      it("accepts no subjects", () => {
        const nobody = changed(binding, ["subjects"], undefined);
        expect(outcome(noRightsForEverybody, type, nobody).violations).to.be.empty;
      });
      it("refuses everybody", () => {
        for (const [kind, name] of [
          ["User", "system:anonymous"],
          ["Group", "system:unauthenticated"],
          ["Group", "system:authenticated"],
          ["Group", "system:serviceaccounts"],
        ] as const) {
          const found = outcome(noRightsForEverybody, type, subject(kind, name)).violations;
          expect(found, name).to.deep.equal(["subjects[0].name"]);
        }
      });
      it("says so when a group is unknown", () => {
        const unclear = subject("Group", unknown);
        expect(outcome(noRightsForEverybody, type, unclear).undecided).to.deep.equal(["subjects[0].name"]);
      });
    });

    describe(`${noDefaultAccountRights.name}: ${type}`, () => {
      const judged = (kind: unknown, name: unknown) =>
        outcome(noDefaultAccountRights, type, changed(binding, ["subjects", 0], { kind, name }));

      it("accepts accounts made for the purpose, users and groups", () => {
        for (const [kind, name] of [
          ["ServiceAccount", "metrics-server"],
          ["User", "system:serviceaccount:inventory:api"],
          ["Group", "default"],
        ]) {
          expect(judged(kind, name).violations, name).to.be.empty;
        }
      });
      it("refuses the default account, by either of its names and among all of a namespace", () => {
        for (const [kind, name] of [
          ["ServiceAccount", "default"],
          ["User", "system:serviceaccount:inventory:default"],
          ["Group", "system:serviceaccounts:inventory"],
        ]) {
          expect(judged(kind, name).violations, name).to.deep.equal(["subjects[0].name"]);
        }
      });
      it("says so when the subject is unknown", () => {
        expect(judged(unknown, "default").undecided).to.deep.equal(["subjects[0].kind"]);
        for (const kind of ["ServiceAccount", "Group"])
          expect(judged(kind, unknown).undecided).to.deep.equal(["subjects[0].name"]);
      });
    });
  }

  describe(noAutomaticTokens.name, () => {
    const judged = (value: unknown) =>
      outcome(noAutomaticTokens, "kubernetes:core/v1:ServiceAccount", {
        automountServiceAccountToken: value,
      });
    const path = ["automountServiceAccountToken"];

    it("accepts false only", () => {
      expect(judged(false).violations).to.be.empty;
      for (const value of [undefined, true]) expect(judged(value).violations).to.deep.equal(path);
    });
    it("says so when it is unknown", () =>
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: path }));
  });
});
