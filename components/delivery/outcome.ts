import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Job } from "@pulumi/kubernetes/batch/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { imageReference, type ImageSource } from "../images";
import { labels, selectorLabels, type Identity } from "../labels";
import { containerSecurity, podSecurity } from "../security";

/** What drives and judges releases. */
export interface Releases {
  /** Address of Prometheus inside the cluster. */
  readonly prometheus: pulumi.Input<string>;
  readonly images: ImageSource;
  readonly apiServerCidrs: readonly string[];
  readonly priorityClassName: pulumi.Input<string>;
}

export interface ReleaseOutcomeArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  /** Name of the Rollout. */
  readonly rollout: pulumi.Input<string>;
  /** What is released: another template is another release. */
  readonly template: pulumi.Input<input.core.v1.PodTemplateSpec>;
  /** How long the whole release may take, in seconds. */
  readonly timeoutSeconds: number;
  readonly releases: Releases;
}

export function outcomeIdentity(application: string): Identity {
  return { name: application, component: "release-outcome" };
}

const scriptPath = "/etc/release";

/**
 * Waits for the outcome of a release, so that an update ends when the release does, and fails when it does: with the
 * measured value that it failed by. A Job, because every provider knows how to wait for one.
 */
export class ReleaseOutcome extends pulumi.ComponentResource {
  constructor(name: string, args: ReleaseOutcomeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:ReleaseOutcome", name, {}, opts);
    const parent = { parent: this };
    const identity = outcomeIdentity(args.identity.name);
    const metadata = { namespace: args.namespace, labels: labels(identity) };
    const script = readFileSync(join(__dirname, "outcome.py"), "utf8");
    const configMap = new ConfigMap(
      `${name}-script`,
      { metadata, immutable: true, data: { "outcome.py": script } },
      parent,
    );
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      parent,
    );
    const role = new Role(
      `${name}-role`,
      {
        metadata,
        rules: [
          { apiGroups: ["argoproj.io"], resources: ["rollouts"], verbs: ["get"] },
          { apiGroups: ["argoproj.io"], resources: ["analysisruns"], verbs: ["list"] },
          { apiGroups: ["apps"], resources: ["replicasets"], verbs: ["list"] },
          { apiGroups: [""], resources: ["events"], verbs: ["create"] },
        ],
      },
      parent,
    );
    const access = new RoleBinding(
      `${name}-binding`,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace: args.namespace }],
      },
      parent,
    );
    const field = (variable: string, fieldPath: string) => ({
      name: variable,
      valueFrom: { fieldRef: { fieldPath } },
    });
    new Job(
      `${name}-job`,
      {
        metadata: { ...metadata, annotations: { "pulumi.com/replaceUnready": "true" } },
        spec: {
          backoffLimit: 0,
          activeDeadlineSeconds: args.timeoutSeconds + 60,
          template: {
            metadata: {
              labels: labels(identity),
              annotations: { "technova.io/release": pulumi.output(args.template).apply(digest) },
            },
            spec: {
              restartPolicy: "Never",
              serviceAccountName: account.metadata.name,
              // Its account's token is what it reads the release with.
              automountServiceAccountToken: true,
              enableServiceLinks: false,
              priorityClassName: args.releases.priorityClassName,
              securityContext: podSecurity(65532),
              containers: [
                {
                  name: "outcome",
                  image: imageReference("python", args.releases.images),
                  imagePullPolicy: "IfNotPresent",
                  command: ["python3", `${scriptPath}/outcome.py`],
                  env: [
                    field("NAMESPACE", "metadata.namespace"),
                    field("POD", "metadata.name"),
                    field("POD_UID", "metadata.uid"),
                    { name: "ROLLOUT", value: args.rollout },
                    { name: "TIMEOUT_SECONDS", value: String(args.timeoutSeconds) },
                  ],
                  terminationMessagePolicy: "FallbackToLogsOnError",
                  resources: {
                    requests: { cpu: "10m", memory: "32Mi" },
                    limits: { cpu: "200m", memory: "64Mi" },
                  },
                  securityContext: containerSecurity,
                  volumeMounts: [{ name: "script", mountPath: scriptPath, readOnly: true }],
                },
              ],
              volumes: [{ name: "script", configMap: { name: configMap.metadata.name } }],
            },
          },
        },
      },
      {
        parent: this,
        dependsOn: access,
        customTimeouts: { create: `${args.timeoutSeconds + 120}s` },
      },
    );
    this.registerOutputs();
  }
}

/** Labels of the Pods that ask the API server. */
export function outcomePodLabels(application: string): Record<string, string> {
  return selectorLabels(outcomeIdentity(application));
}

function digest(template: pulumi.Unwrap<input.core.v1.PodTemplateSpec>): string {
  return createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 16);
}
