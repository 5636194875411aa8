import { problemsOf } from "../../../policy/frame/exceptions";
import { Loki, nanoseconds } from "../../audit/loki";
import { field, nameOf, namespaceOf, text, type KubeObject } from "../../plugins/kubernetes/object";
import { admission } from "../admission";
import { placeOf } from "../cluster";
import { answer, atLeastOne, counted, off, type Control } from "../control";
import type { Evidence } from "../evidence";
import { accountsAreBounded, riskyActions, told } from "../rights";
import { encryptedAtRest, sealed } from "../secrets";
import { deniesAll, rulesOf } from "../traffic";

/** The cluster around the containers: namespaces, traffic, rights, and what the API server lets in. */
export const infrastructureControls: readonly Control[] = [
  {
    id: "namespaces-hold-a-standard",
    title: "Every namespace enforces a Pod Security Standard",
    against: "A Pod that somebody makes by hand, past this program.",
    where: "components/cluster/namespace.ts; policy namespace-pod-security",
    async ask(evidence) {
      const { own, missing } = await ownNamespaces(evidence);
      const judged = evidence.pack.onLive(own, counted(own.length, "namespace"), "namespace-pod-security");
      return missing.length === 0
        ? judged
        : { ...judged, verdict: "fails", details: [...missing, ...judged.details] };
    },
  },
  {
    id: "admission-denies",
    title: "The API server refuses what the policies refuse",
    against: "A Pod that somebody makes by hand, past this program, and that breaks a rule.",
    where: "technova:cluster.admission; components/cluster/admission.ts",
    ask: admission,
  },
  {
    id: "traffic-is-denied-by-default",
    title: "In every namespace no traffic is let through that nobody asked for",
    against: "A container that reaches for others once somebody is in it.",
    where: "components/cluster/namespace.ts; policy namespace-default-deny",
    async ask(evidence) {
      const namespaces = evidence.namespaces();
      const policies = await evidence.cluster.listIn("NetworkPolicy", namespaces);
      const closed = new Set(policies.filter(deniesAll).map(namespaceOf));
      const wrong = namespaces
        .filter((name) => !closed.has(name))
        .map((name) => `${name} has no policy that denies all`);
      return answer(counted(namespaces.length, "namespace"), wrong);
    },
  },
  {
    id: "traffic-is-that-of-the-table",
    title: "Only connections of the table are let through",
    against: "A network policy that somebody has added or widened.",
    where: "components/cluster/flows.md",
    async ask(evidence) {
      const stated = new Map(evidence.objects("NetworkPolicy").map((each) => [placeOf(each), each]));
      const live = await evidence.cluster.listIn("NetworkPolicy", evidence.namespaces());
      const wrong = live.flatMap((policy) => {
        const own = stated.get(placeOf(policy));
        if (own === undefined) return [`NetworkPolicy ${placeOf(policy)} is not in the state`];
        return rulesOf(own) === rulesOf(policy)
          ? []
          : [`NetworkPolicy ${placeOf(policy)} lets other traffic through than the state's`];
      });
      return answer(counted(live.length, "network policy").replace(/policys$/, "policies"), wrong);
    },
  },
  {
    id: "the-world-is-kept-out",
    title: "Nothing is reachable from outside but what the state has, and that with TLS",
    against: "A Service that somebody has opened to the world; passwords in plain requests.",
    where:
      "components/addons/gateway.ts; policies gateway-listeners-with-tls, no-plaintext-routes, no-world-ingress",
    async ask(evidence) {
      const open = (each: KubeObject) => ["NodePort", "LoadBalancer"].includes(text(each, "spec", "type"));
      const stated = new Set(evidence.objects("Service").filter(open).map(placeOf));
      const live = (await evidence.cluster.listIn("Service", evidence.namespaces())).filter(open);
      const strange = live
        .filter((each) => !stated.has(placeOf(each)))
        .map((each) => `Service ${placeOf(each)} is open to the outside, and not so in the state`);
      const judged = evidence.pack.onState(
        "gateway-listeners-with-tls",
        "no-plaintext-routes",
        "no-world-ingress",
      );
      if (strange.length === 0) return judged;
      return { verdict: "fails", evidence: judged.evidence, details: [...strange, ...judged.details] };
    },
  },
  {
    id: "namespaces-are-bounded",
    title: "Every namespace has a quota, and limits for who forgets them",
    against: "A namespace that takes the whole cluster.",
    where: "components/cluster/namespace.ts; policies namespace-quota, namespace-limit-range",
    async ask(evidence) {
      const namespaces = evidence.namespaces();
      const kinds = ["ResourceQuota", "LimitRange"] as const;
      const wrong = await Promise.all(
        kinds.map(async (kind) => {
          const has = new Set((await evidence.cluster.listIn(kind, namespaces)).map(namespaceOf));
          return namespaces.filter((name) => !has.has(name)).map((name) => `${name} has no ${kind}`);
        }),
      );
      return answer(counted(namespaces.length, "namespace"), wrong.flat());
    },
  },
  {
    id: "accounts-have-their-rights-alone",
    title: "No service account may do what the state gives it no right to",
    against: "A Pod whose token opens more than its work needs.",
    where: "roles and bindings of the components",
    ask: accountsAreBounded,
  },
  {
    id: "rights-are-small",
    title: "No role gives rights by wildcard, to everybody, or a way to more",
    against: "A right that is more than it looks like.",
    where: "policy area rbac",
    ask: ({ pack }) =>
      pack.onState(
        "no-wildcard-rbac",
        "no-rbac-escalation",
        "no-cluster-admin",
        "no-rights-for-everybody",
        "no-default-account-rights",
        "no-secrets-access",
        "no-pod-execution",
        "no-token-creation",
        "no-admission-changes",
        "no-node-proxy",
      ),
  },
  {
    id: "tokens-are-asked-for",
    title: "No service account hands its token to every Pod",
    against: "A token in a Pod that never talks to the API, for who breaks in.",
    where: "policy no-automatic-tokens",
    async ask(evidence) {
      // Kubernetes makes an account `default` in each namespace, and no Pod of the platform uses one.
      const all = await evidence.cluster.listIn("ServiceAccount", evidence.namespaces());
      const own = all.filter((each) => nameOf(each) !== "default");
      const judged = evidence.pack.onLive(own, counted(own.length, "service account"), "no-automatic-tokens");
      const pods = await evidence.cluster.pods(evidence.namespaces());
      const holders = pods
        .filter((pod) => (text(pod, "spec", "serviceAccountName") || "default") === "default")
        .filter((pod) => field(pod, "spec", "automountServiceAccountToken") !== false)
        .map((pod) => `Pod ${placeOf(pod)} has the token of the account default`);
      if (holders.length === 0) {
        atLeastOne(own, "service account of the platform's");
        return judged;
      }
      return { ...judged, verdict: "fails", details: [...holders, ...judged.details] };
    },
  },
  {
    id: "strangers-may-nothing",
    title: "Who has not signed in may do nothing",
    against: "An API server that answers everybody who reaches it.",
    where: "bindings of the cluster; policy no-rights-for-everybody",
    async ask(evidence) {
      const actions = riskyActions(evidence.namespaces());
      const anonymous = { user: "system:anonymous", groups: ["system:unauthenticated"] };
      const allowed = await evidence.cluster.allowed(anonymous, actions);
      return answer(
        `${actions.length} questions about system:anonymous`,
        allowed.map((each) => `may ${told(each)}`),
      );
    },
  },
  {
    id: "secrets-are-encrypted-at-rest",
    title: "Secrets are encrypted before they reach etcd",
    against: "A copy of etcd, or of its disk, that has all passwords.",
    where: "tools/cluster/components/control-plane.ts; elsewhere the cluster's own",
    ask: encryptedAtRest,
  },
  {
    id: "audit-log-arrives",
    title: "What is done to the cluster is written where it cannot be unwritten",
    against: "An attack that leaves no trace.",
    where: "technova:monitoring.logs.auditLogFolder; components/monitoring/promtail.ts",
    async ask(evidence) {
      if (evidence.setting("monitoring", "logs", "auditLogFolder") === undefined)
        return off(`technova:monitoring.logs.auditLogFolder is not set in Pulumi.${evidence.stack}.yaml`);
      const now = Date.now();
      const range = { from: nanoseconds(now - 3_600_000), to: nanoseconds(now) };
      const count = await new Loki(evidence.cluster.api).count('{job="audit", source="kubernetes"}', range);
      return answer(
        `${counted(count, "line")} in the last hour, by Loki`,
        count > 0 ? [] : ["none has arrived"],
      );
    },
  },
  {
    id: "secrets-are-sealed",
    title: "Sealed Secrets are opened in the cluster alone, and all of them are",
    against: "A password on its way from the repository to the cluster.",
    where: "technova:sealedSecrets; namespace sealing",
    ask: sealed,
  },
  {
    id: "exceptions-end",
    title: "Exceptions from the policies have an owner and an end, and are not over",
    against: "An exception that stays for ever, and excuses the next resource that happens to fit.",
    where: "policy/exceptions.json; policy whole-exceptions",
    ask({ exceptions, stack, sources: { today } }) {
      const own = exceptions.filter(({ stacks }) => !Array.isArray(stacks) || stacks.includes(stack));
      const wrong = own.flatMap((entry) =>
        problemsOf(entry, today).map((problem) => `${entry.policy}, ${entry.resource}: ${problem}`),
      );
      const next = own.map(({ expires }) => expires).sort()[0];
      return answer(
        `${counted(own.length, "exception")}${next === undefined ? "" : `; the first ends on ${next}`}`,
        wrong,
      );
    },
  },
];

async function ownNamespaces(evidence: Evidence) {
  const names = evidence.namespaces();
  const live = await evidence.cluster.list("Namespace");
  const own = live.filter((each) => names.includes(nameOf(each)));
  const missing = names
    .filter((name) => !own.some((each) => nameOf(each) === name))
    .map((name) => `Namespace ${name} is not there`);
  return { own, missing };
}
