import { type Judge, type ObjectPolicy, type Policy, shown } from "./frame/policy";
import { absentOrNot } from "./frame/tests";
import type { Field } from "./frame/field";

/** Rights that are more than they look like: each leads to others that a role does not name. */

const area = "rbac";
const risks =
  "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#kubernetes-rbac-privilege-escalation-risks";
const kinds = ["Role", "ClusterRole"];
const written = ["create", "update", "patch", "delete", "deletecollection"];

/** What a rule must not have all of: a group, a resource and a verb of these. */
interface Right {
  readonly group: string;
  readonly resources: readonly string[];
  /** Any when absent. */
  readonly verbs?: readonly string[];
  /** Whether rules that name the objects are accepted. */
  readonly unlessNamed?: boolean;
}

function refusing(
  ...rights: readonly Right[]
): Pick<ObjectPolicy, "area" | "link" | "kinds" | "checkObject"> {
  return {
    area,
    link: risks,
    kinds,
    checkObject({ root }, judge) {
      for (const rule of judge.items(root.at("rules"))) {
        for (const right of rights) expectWithout(right, rule, judge);
      }
    },
  };
}

function expectWithout({ group, resources, verbs, unlessNamed }: Right, rule: Field, judge: Judge): void {
  const groups = fitting(rule.at("apiGroups"), (value) => value === group || value === "*");
  const affected = fitting(rule.at("resources"), (value) => resources.some((each) => covers(value, each)));
  const given = fitting(rule.at("verbs"), (value) => verbs === undefined || isOneOf(value, verbs));
  const parts = [groups, affected, given];
  if (parts.some(({ known, unknown }) => known.length === 0 && unknown === undefined)) return;
  const names = rule.at("resourceNames");
  if (unlessNamed === true && !names.unknown && isNamed(names)) return;
  const unclear = parts.filter(({ known }) => known.length === 0).flatMap(({ unknown }) => unknown ?? []);
  if (unlessNamed === true && names.unknown) unclear.push(names);
  for (const field of unclear) judge.knows(field);
  if (unclear.length > 0) return;
  const may = given.known.map(({ value }) => shown(value)).join(", ");
  const reported = new Set(judge.violations.map(({ field }) => field.path));
  for (const field of affected.known) {
    if (!reported.has(field.path)) judge.report(field, `is ${shown(field.value)} with ${may}`);
  }
}

/**
 * Whether a rule is about the objects that it names, and no others. A request for a list has the name that its field
 * selector asks for, and otherwise, as one that deletes several, an empty one; which a rule can name, too.
 */
function isNamed(names: Field): boolean {
  const given = names.items();
  return given.length > 0 && given.every((name) => name.unknown || (!name.absent && name.value !== ""));
}

/** The entries of a list that fit, and one that may. */
function fitting(list: Field, fits: (value: string) => boolean) {
  const items = list.items();
  const known = items.filter(({ unknown, value }) => !unknown && fits(String(value)));
  return { known, unknown: items.find(({ unknown }) => unknown) };
}

/** `*` covers everything, `pods/*` every part of a pod, and a part written `*` over a slash that part of all kinds. */
function covers(entry: string, resource: string): boolean {
  const [kind, part] = resource.split("/");
  const whole = [resource, "*", ...(part === undefined ? [] : [`${kind}/*`, `*/${part}`])];
  return whole.includes(entry);
}

const isOneOf = (verb: string, verbs: readonly string[]) => verb === "*" || verbs.includes(verb);

/**
 * The API server answers a patch that changes nothing with the whole object, and so a deletion that leaves dependents
 * behind, even one that is only tried (`dryRun`); one of several with all of them. An update is answered with what was
 * sent.
 */
const readingVerbs = ["get", "list", "watch", "patch", "delete", "deletecollection"];

const secretsByRule = refusing({ group: "", resources: ["secrets"], verbs: readingVerbs, unlessNamed: true });

/** Kubernetes' own ClusterRoles that read any Secret; cluster-admin is the policy no-cluster-admin's to report. */
const builtInReaders = [
  ...["admin", "edit", "system:aggregate-to-edit", "system:kube-controller-manager", "system:node"],
  ...["generic-garbage-collector", "legacy-service-account-token-cleaner", "namespace-controller"].map(
    (controller) => `system:controller:${controller}`,
  ),
  "system:controller:resourcequota-controller",
];

export const noSecretsAccess: ObjectPolicy = {
  ...secretsByRule,
  name: "no-secrets-access",
  severity: "high",
  description:
    "No role may read Secrets that it does not name, nor is one of Kubernetes' own bound that may.",
  why: "All passwords and tokens of the namespace, of other service accounts too, are then the holder's.",
  remedy: [
    "Name the Secrets in resourceNames and keep the verb get; patch and delete read as well.",
    "Better, mount the Secret into the pod: that needs no right at all.",
    "Instead of admin or edit, bind a role that lists the rights that are needed.",
  ],
  kinds: [...kinds, "RoleBinding", "ClusterRoleBinding"],
  checkObject(object, judge, settings) {
    if (kinds.includes(object.kind)) return secretsByRule.checkObject(object, judge, settings);
    const role = object.root.at("roleRef");
    if (!judge.knows(role.at("kind")) || role.at("kind").value !== "ClusterRole") return;
    judge.expect(role.at("name"), {
      ...absentOrNot(...builtInReaders),
      wanted: "a role of the program's own",
    });
  },
};

export const noPodExecution: ObjectPolicy = {
  ...refusing(
    { group: "", resources: ["pods/exec", "pods/attach", "pods/portforward"], verbs: ["create", "get"] },
    { group: "", resources: ["pods/ephemeralcontainers"], verbs: ["create", "update", "patch"] },
  ),
  name: "no-pod-execution",
  severity: "high",
  description: "No role may run commands in pods, or attach and forward to them.",
  why: "Whoever runs a command in a pod has its Secrets, its service account and its place in the network.",
  remedy: ["Remove pods/exec, pods/attach, pods/portforward and pods/ephemeralcontainers from the rule."],
};

export const noTokenCreation: ObjectPolicy = {
  ...refusing({ group: "", resources: ["serviceaccounts/token"], verbs: ["create"] }),
  name: "no-token-creation",
  severity: "high",
  description: "No role may make tokens of service accounts.",
  why: "A token of another account brings all that account's rights, from wherever it is used.",
  remedy: ["Remove serviceaccounts/token; a pod gets its own token mounted."],
};

export const noAdmissionChanges: ObjectPolicy = {
  ...refusing({
    group: "admissionregistration.k8s.io",
    resources: [
      "validatingwebhookconfigurations",
      "mutatingwebhookconfigurations",
      "validatingadmissionpolicies",
      "validatingadmissionpolicybindings",
      "mutatingadmissionpolicies",
      "mutatingadmissionpolicybindings",
    ],
    verbs: written,
  }),
  name: "no-admission-changes",
  severity: "high",
  description: "No role may change what the cluster admits.",
  why: "A webhook sees every object that is written, Secrets too, and can change it; without one, guards are off.",
  remedy: ["Keep the rule to get, list and watch; the program itself changes admission."],
};

export const noNodeProxy: ObjectPolicy = {
  ...refusing({ group: "", resources: ["nodes/proxy"] }),
  name: "no-node-proxy",
  severity: "critical",
  description: "No role may talk to kubelets through the API server.",
  why: "The kubelet runs commands in every pod of its node, and neither admission nor the audit log sees them.",
  remedy: ["Name the parts that are needed, such as nodes/metrics or nodes/stats, instead of nodes/proxy."],
};

export const noPersistentVolumeRights: ObjectPolicy = {
  ...refusing({ group: "", resources: ["persistentvolumes"], verbs: ["create", "update", "patch"] }),
  name: "no-persistent-volume-rights",
  severity: "high",
  description: "No role may make PersistentVolumes.",
  why: "A volume of type hostPath is a way to the files of a node that Pod Security does not see.",
  remedy: ["Give rights on persistentvolumeclaims instead, and let a StorageClass make the volumes."],
};

export const noCertificateApproval: ObjectPolicy = {
  ...refusing(
    {
      group: "certificates.k8s.io",
      resources: ["certificatesigningrequests/approval", "certificatesigningrequests/status"],
      verbs: ["update", "patch"],
    },
    { group: "certificates.k8s.io", resources: ["signers"], verbs: ["approve", "sign"] },
  ),
  name: "no-certificate-approval",
  severity: "high",
  description: "No role may approve or sign certificates of the cluster.",
  why: "Whoever approves a request can have a certificate for any user, and it stays valid until it ends.",
  remedy: ["Remove the approval and signing of certificates from the rule."],
};

export const rightsPolicies: readonly Policy[] = [
  noSecretsAccess,
  noPodExecution,
  noTokenCreation,
  noAdmissionChanges,
  noNodeProxy,
  noPersistentVolumeRights,
  noCertificateApproval,
];
