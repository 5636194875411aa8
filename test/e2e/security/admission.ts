import { spawnSync } from "node:child_process";
import { expect } from "chai";
import fc from "fast-check";
import { unknownCheckingProxy } from "@pulumi/policy";
import { admissionPolicies, secretAdmission } from "../../../policy/admission";
import { judgeResource } from "../../../policy/frame/evaluate";
import type { Policy } from "../../../policy/frame/policy";
import { policies } from "../../../policy/policies";
import { tokenType } from "../../../policy/secrets";
import { readConfiguration } from "../../../tools/policy/configuration";
import { changed, goodPod, podTypes } from "../../support/policy";
import { mutatedPod } from "../../support/mutants";
import { checkout } from "../support/command";
import { kubectl } from "../support/cluster";
import { clusterEnvironment } from "../../../tools/cluster/environment";

/** A namespace that the platform's own admission policies leave alone: what is refused there, Kubernetes refuses. */
const standards = "e2e-standards";
const guarded = "inventory";

const configuration = readConfiguration(checkout, "local");
const settingsOf = (policy: Policy) => configuration.settingsOf(policy);
const generated = () => [
  ...admissionPolicies(Object.fromEntries(policies.map((policy) => [policy.name, settingsOf(policy)]))),
  ...secretAdmission(),
];

/** A good pod of an image that the stack may take. */
const good = () => localImages(goodPod());

function localImages(pod: object): object {
  const text = JSON.stringify(pod).replaceAll("registry.example/team", "localhost:5050/technova");
  return JSON.parse(text) as object;
}

interface Verdict {
  readonly admitted: boolean;
  readonly message: string;
}

/** What the API server says of each object, all asked at once and none made. */
function askedOf(objects: readonly object[]): Map<string, Verdict> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  const command = ["--context", "technova-local", "create", "--dry-run=server", "-o", "name", "-f", "-"];
  const env = { ...process.env, ...clusterEnvironment() };
  const { stdout, stderr } = spawnSync("kubectl", command, {
    input: list,
    encoding: "utf8",
    env,
    maxBuffer: 2 ** 28,
  });
  const verdicts = new Map<string, Verdict>();
  for (const line of stdout.split("\n")) {
    const name = line.split("/").at(-1);
    if (name) verdicts.set(name, { admitted: true, message: "" });
  }
  for (const line of stderr.split("\n")) {
    const [, name] = /"([a-z]+-\d+)"/.exec(line) ?? [];
    if (name !== undefined) verdicts.set(name, { admitted: false, message: line });
  }
  return verdicts;
}

const podNamed = (name: string, namespace: string, pod: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  ...changed(pod, ["metadata"], { name, namespace }),
});

/** A Deployment: Pod Security leaves its template alone, so that only the admission policies speak. */
const deploymentNamed = (name: string, pod: object) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: guarded },
  spec: {
    selector: { matchLabels: { app: name } },
    template: changed(pod, ["metadata"], { labels: { app: name } }),
  },
});

/** What each rule refuses and no other does, by the name of its policy: of those that deny, only one is told. */
const spoilt: Readonly<Record<string, object>> = {
  "no-host-namespaces": changed(good(), ["spec", "hostPID"], true),
  "no-host-ports": changed(
    good(),
    ["spec", "containers", 0, "ports"],
    [{ containerPort: 8080, hostPort: 8080 }],
  ),
  "no-privilege-escalation": changed(
    good(),
    ["spec", "containers", 0, "securityContext", "allowPrivilegeEscalation"],
    true,
  ),
  "seccomp-profile": changed(
    good(),
    ["spec", "containers", 0, "securityContext", "seccompProfile"],
    undefined,
  ),
  "read-only-root-file-system": changed(
    good(),
    ["spec", "containers", 0, "securityContext", "readOnlyRootFilesystem"],
    false,
  ),
  "allowed-registries": changed(good(), ["spec", "containers", 0, "image"], "docker.io/library/nginx:1.29"),
  "application-image-by-digest": changed(
    good(),
    ["spec", "containers", 0, "image"],
    "localhost:5050/technova/inventory:1.0.0",
  ),
  "no-mutable-image-tags": changed(
    good(),
    ["spec", "containers", 0, "image"],
    "localhost:5050/technova/shop:latest",
  ),
  "maximum-container-size": changed(good(), ["spec", "containers", 0, "resources", "limits", "cpu"], "64"),
  "priority-class": changed(good(), ["spec", "priorityClassName"], undefined),
  "no-token-secrets": { apiVersion: "v1", kind: "Secret", type: tokenType },
};

/** Each admission policy denies one object, by its own words, and all admit a good one. */
export async function policiesDenyAndAdmit(): Promise<void> {
  const names = (await kubectl("get", "validatingadmissionpolicies", "-o", "name"))
    .trim()
    .split("\n")
    .map((name) => name.replace(/^.*\/technova-/, ""));
  expect(names).to.have.members(generated().map(({ name }) => name));
  const objects = Object.entries(spoilt).map(([policy, object], index) =>
    policy === "no-token-secrets"
      ? changed(object, ["metadata"], {
          name: `bad-${index}`,
          namespace: guarded,
          annotations: { "kubernetes.io/service-account.name": "default" },
        })
      : deploymentNamed(`bad-${index}`, object),
  );
  const verdicts = askedOf([...objects, deploymentNamed("good-0", good())]);
  expect(verdicts.get("good-0")).to.deep.equal({ admitted: true, message: "" });
  const denying = new Set<string>();
  Object.keys(spoilt).forEach((policy, index) => {
    const { admitted = true, message = "" } = verdicts.get(`bad-${index}`) ?? {};
    expect(admitted, policy).to.equal(false);
    expect(message, policy).to.contain(`${policy}: `);
    denying.add(/ValidatingAdmissionPolicy 'technova-([a-z-]+)'/.exec(message)?.[1] ?? "");
  });
  expect([...denying]).to.have.members(names);
  await warningsOfTypesAreNone();
}

/** The API server checks the types of expressions for the kinds that it knows, and says what cannot be right. */
async function warningsOfTypesAreNone(): Promise<void> {
  const path = "{range .items[*]}{.metadata.name}{.status.typeChecking.expressionWarnings}{end}";
  expect(await kubectl("get", "validatingadmissionpolicies", "-o", `jsonpath=${path}`)).not.to.contain(
    "warning",
  );
}

/** Pod Security turns away a Pod in a namespace of the platform. */
export function podSecurityDenies(): void {
  const pod = podNamed("bad-0", guarded, withoutPriority(changed(good(), ["spec", "hostPID"], true)));
  const { message = "" } = askedOf([pod]).get("bad-0") ?? {};
  expect(message).to.contain('violates PodSecurity "restricted:latest"');
}

/** 200 pods that somebody could write: the pack, the admission policies and Pod Security say the same of each. */
export async function theyAgree(): Promise<void> {
  await kubectl("create", "namespace", standards);
  try {
    await kubectl("label", "namespace", standards, "pod-security.kubernetes.io/enforce=restricted");
    const pods = fc.sample(mutatedPod(), 200).map(localImages);
    const verdicts = askedOf([
      ...pods.map((pod, index) => podNamed(`pod-${index}`, standards, withoutPriority(pod))),
      ...pods.map((pod, index) => deploymentNamed(`deployment-${index}`, pod)),
    ]);
    const disagreements = pods.flatMap((pod, index) => {
      const byPack = policies.filter((policy) => "rules" in policy && violates(policy, pod));
      const standard = byPack.filter(({ area }) => area === "pod-security");
      return [
        ...differs("Pod Security", standard, verdicts.get(`pod-${index}`), pod),
        ...differs("admission", byPack, verdicts.get(`deployment-${index}`), pod),
      ];
    });
    expect(disagreements, disagreements.join("\n")).to.be.empty;
    const refused = [...verdicts.values()].filter(({ admitted }) => !admitted).length;
    expect(refused, "refused of 400").to.be.within(40, 380);
  } finally {
    await kubectl("delete", "namespace", standards, "--wait=false");
  }
}

/** Priority classes of the platform are there, but the pods of this test name another. */
const withoutPriority = (pod: object) => changed(pod, ["spec", "priorityClassName"], undefined);

function violates(policy: Policy, pod: object): boolean {
  const resource = { type: podTypes.Pod, urn: "urn", props: unknownCheckingProxy(pod) };
  return judgeResource(policy, resource, settingsOf(policy)).violations.length > 0;
}

function differs(
  who: string,
  byPack: readonly Policy[],
  verdict: Verdict | undefined,
  pod: object,
): string[] {
  const names = byPack.map(({ name }) => name).join(", ");
  if (verdict === undefined) return [`${who} said nothing of ${JSON.stringify(pod)}`];
  if (verdict.admitted === (byPack.length === 0)) return [];
  return [
    `${who}: ${verdict.message || "admitted"}; the pack: ${names || "nothing"}; ${JSON.stringify(pod)}`,
  ];
}
