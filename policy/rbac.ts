import { absentOrNot, oneOf } from "./frame/tests";
import type { ObjectPolicy, Policy } from "./frame/policy";

const goodPractices = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/";
const roles = ["Role", "ClusterRole"];
const bindings = ["RoleBinding", "ClusterRoleBinding"];

export const noWildcardRbac: ObjectPolicy = {
  name: "no-wildcard-rbac",
  area: "rbac",
  severity: "critical",
  description: "No role gives rights by wildcard, or whatever rights other roles have.",
  why: "A wildcard covers secrets and every kind that will ever be added, so it is more than anybody decided to give.",
  remedy: [
    "List the apiGroups, resources and verbs that are needed, each by name.",
    "Remove aggregationRule: what its selectors find, now or later, is added to the role.",
  ],
  link: `${goodPractices}#least-privilege`,
  kinds: roles,
  checkObject({ root }, judge) {
    const aggregation = root.at("aggregationRule");
    if (judge.knows(aggregation) && !aggregation.absent)
      judge.report(aggregation, "gives the rights of all roles that its selectors find");
    for (const rule of judge.items(root.at("rules"))) {
      for (const key of ["verbs", "resources", "apiGroups", "nonResourceURLs"]) {
        for (const entry of judge.items(rule.at(key))) {
          const accepts = (value: unknown) => typeof value === "string" && !value.includes("*");
          judge.expect(entry, { accepts, wanted: `the name of what is needed (${key})` });
        }
      }
    }
  },
};

export const noRbacEscalation: ObjectPolicy = {
  name: "no-rbac-escalation",
  area: "rbac",
  severity: "critical",
  description: "No role lets its holder give itself more rights.",
  why: "The verbs escalate, bind and impersonate turn any account into a cluster administrator.",
  remedy: ["Remove the verbs escalate, bind and impersonate from the rule."],
  link: `${goodPractices}#privilege-escalation-risks`,
  kinds: roles,
  checkObject({ root }, judge) {
    for (const rule of judge.items(root.at("rules"))) {
      for (const verb of judge.items(rule.at("verbs"))) {
        judge.expect(verb, absentOrNot("escalate", "bind", "impersonate"));
      }
    }
  },
};

export const noClusterAdmin: ObjectPolicy = {
  name: "no-cluster-admin",
  area: "rbac",
  severity: "critical",
  description: "Nothing is bound to the role cluster-admin or the group system:masters.",
  why: "Both may do everything everywhere, and the rights of system:masters cannot even be taken away again.",
  remedy: ["Bind a role that lists the rights that are needed."],
  link: `${goodPractices}#least-privilege`,
  kinds: bindings,
  checkObject({ root }, judge) {
    judge.expect(root.at("roleRef", "name"), absentOrNot("cluster-admin"));
    for (const subject of judge.items(root.at("subjects"))) {
      judge.expect(subject.at("name"), absentOrNot("system:masters"));
    }
  },
};

const everybody = [
  "system:anonymous",
  "system:unauthenticated",
  "system:authenticated",
  "system:serviceaccounts",
];

export const noRightsForEverybody: ObjectPolicy = {
  name: "no-rights-for-everybody",
  area: "rbac",
  severity: "critical",
  description: "No binding gives rights to everybody, anonymous or not.",
  why: "Such rights are held by every pod and, if anonymous, by everybody who reaches the API server.",
  remedy: ["Bind the service account that needs the rights, by name and namespace."],
  link: goodPractices,
  kinds: bindings,
  checkObject({ root }, judge) {
    for (const subject of judge.items(root.at("subjects"))) {
      const kind = subject.at("kind");
      if (!judge.knows(kind) || kind.value === "ServiceAccount") continue;
      judge.expect(subject.at("name"), absentOrNot(...everybody));
    }
  },
};

export const noDefaultAccountRights: ObjectPolicy = {
  name: "no-default-account-rights",
  area: "rbac",
  severity: "high",
  description:
    "No binding gives rights to a service account named default, or to all accounts of a namespace.",
  why: "Every pod of the namespace that names no account runs as default, and so gets rights that nobody meant it to have.",
  remedy: ["Create a service account for the pods that need the rights, and bind that."],
  link: "https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts",
  kinds: bindings,
  checkObject({ root }, judge) {
    for (const subject of judge.items(root.at("subjects"))) {
      const kind = subject.at("kind");
      if (!judge.knows(kind)) continue;
      const refused = kind.value === "Group" ? allAccounts : defaultAccount;
      const accepts = (value: unknown) => !refused.test(String(value));
      judge.expect(subject.at("name"), { accepts, wanted: "an account made for the purpose" });
    }
  },
};

/** Also by the name that it has as a user. */
const defaultAccount = /^(system:serviceaccount:[^:]*:)?default$/;
/** The group of all accounts of a namespace; that of the whole cluster is no-rights-for-everybody's to report. */
const allAccounts = /^system:serviceaccounts:/;

export const noAutomaticTokens: ObjectPolicy = {
  name: "no-automatic-tokens",
  area: "rbac",
  severity: "medium",
  description: "No service account hands its API token to every pod that uses it.",
  why: "Most pods never talk to the API; a token in them is of use only to somebody who breaks in.",
  remedy: [
    "Set automountServiceAccountToken to false on the ServiceAccount.",
    "Set it to true on the pods that talk to the API.",
  ],
  link: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting",
  kinds: ["ServiceAccount"],
  checkObject({ group, root }, judge) {
    if (group === "core") judge.expect(root.at("automountServiceAccountToken"), oneOf(false));
  },
};

export const rbacPolicies: readonly Policy[] = [
  noWildcardRbac,
  noRbacEscalation,
  noClusterAdmin,
  noRightsForEverybody,
  noDefaultAccountRights,
  noAutomaticTokens,
];
