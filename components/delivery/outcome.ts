import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Job } from "@pulumi/kubernetes/batch/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { imageReference, type ImageSource } from "../images";
import { labels, type Identity } from "../labels";
import { containerSecurity, podSecurity, type PodSecurityArgs } from "../security";

/** What waits for releases, and where it tells of them. */
export interface Releases extends PodSecurityArgs {
  /** Address of Prometheus inside the cluster; left out where nothing measures. */
  readonly prometheus?: pulumi.Input<string>;
  readonly images: ImageSource;
  readonly priorityClassName: pulumi.Input<string>;
  /** Name of the environment, for people. */
  readonly environment: string;
  /** When the released commit was made, for the time that changes take until users have them. */
  readonly committedAt?: string;
}

export interface ReleaseOutcomeArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  /** Name of the Rollout. */
  readonly rollout: pulumi.Input<string>;
  /** What is released, in one word. */
  readonly release: pulumi.Input<string>;
  /** Name of the Service of the version that users have. */
  readonly activeService: pulumi.Input<string>;
  /** The objects that the version's Pods read, and that have to stay as long as it can come back. */
  readonly configMapName: pulumi.Input<string>;
  readonly secretName: pulumi.Input<string>;
  /** How long the whole release may take, in seconds. */
  readonly timeoutSeconds: number;
  readonly releases: Releases;
}

/** Name of the ConfigMap with what became of each release. */
export function historyName(application: string): string {
  return `${application}-releases`;
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
    const { releases } = args;
    const identity = outcomeIdentity(args.identity.name);
    const metadata = { namespace: args.namespace, labels: labels(identity) };
    const configMap = new ConfigMap(
      `${name}-script`,
      { metadata, immutable: true, data: scripts(join(__dirname, "outcome")) },
      parent,
    );
    // Written by each release at its end, and never from here.
    const history = new ConfigMap(
      `${name}-history`,
      { metadata: { ...metadata, name: historyName(args.identity.name) } },
      { parent: this, ignoreChanges: ["data"] },
    );
    const named = (resource: string, resourceNames: pulumi.Input<string>[], verbs: string[]) => ({
      apiGroups: [""],
      resources: [resource],
      resourceNames,
      verbs,
    });
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
          {
            apiGroups: ["argoproj.io"],
            resources: ["rollouts/status"],
            resourceNames: [args.rollout],
            verbs: ["patch"],
          },
          { apiGroups: ["argoproj.io"], resources: ["analysisruns"], verbs: ["list"] },
          { apiGroups: ["apps"], resources: ["replicasets"], verbs: ["list"] },
          { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
          { apiGroups: [""], resources: ["events"], verbs: ["create"] },
          // Users get the stable version back by it.
          named("services", [args.activeService], ["get", "patch"]),
          named("configmaps", [history.metadata.name], ["get", "patch"]),
          // To make them live as long as the version does.
          named("configmaps", [args.configMapName], ["patch"]),
          named("secrets", [args.secretName], ["patch"]),
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
          // Another Pod goes on where one had to leave its node.
          podFailurePolicy: {
            rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
          },
          activeDeadlineSeconds: args.timeoutSeconds + 60,
          template: {
            metadata: {
              labels: labels(identity),
              // Another release is another Job.
              annotations: {
                "technova.io/release": args.release,
                "technova.io/configuration": pulumi.interpolate`configmaps/${args.configMapName} secrets/${args.secretName}`,
              },
            },
            spec: {
              restartPolicy: "Never",
              serviceAccountName: account.metadata.name,
              // Its account's token is what it reads the release with.
              automountServiceAccountToken: true,
              enableServiceLinks: false,
              priorityClassName: releases.priorityClassName,
              securityContext: podSecurity(65532, releases),
              containers: [
                {
                  name: "outcome",
                  image: imageReference("python", releases.images),
                  imagePullPolicy: "IfNotPresent",
                  command: ["python3", scriptPath],
                  env: [
                    field("NAMESPACE", "metadata.namespace"),
                    field("POD", "metadata.name"),
                    field("POD_UID", "metadata.uid"),
                    { name: "ROLLOUT", value: args.rollout },
                    field("RELEASE", `metadata.annotations['technova.io/release']`),
                    { name: "TIMEOUT_SECONDS", value: String(args.timeoutSeconds) },
                    { name: "HISTORY", value: history.metadata.name },
                    field("CONFIGURATION", "metadata.annotations['technova.io/configuration']"),
                    { name: "ENVIRONMENT", value: releases.environment },
                    ...known("PROMETHEUS", releases.prometheus),
                    ...known("COMMITTED_AT", releases.committedAt),
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

function known(name: string, value: pulumi.Input<string> | undefined): input.core.v1.EnvVar[] {
  return value === undefined ? [] : [{ name, value }];
}

function scripts(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".py"));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
