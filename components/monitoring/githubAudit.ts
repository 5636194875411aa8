import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CronJob } from "@pulumi/kubernetes/batch/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { githubAuditIdentity, loki } from "../cluster/wellKnown";
import type { GitHubAuditSettings } from "../config/monitoring";
import { imageReference, type ImageSource } from "../images";
import { labels } from "../labels";
import { containerSecurity, podSecurity, type PodSecurityArgs } from "../security";

export interface GitHubAuditArgs extends PodSecurityArgs {
  readonly settings: GitHubAuditSettings;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
}

const scriptPath = "/etc/github-audit";

/** Brings the audit log of an organisation on GitHub into Loki, every few minutes. */
export class GitHubAudit extends pulumi.ComponentResource {
  constructor(name: string, args: GitHubAuditArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:monitoring:GitHubAudit", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const { everyMinutes } = settings;
    const metadata = { namespace, labels: labels(githubAuditIdentity) };
    const script = new ConfigMap(
      `${name}-script`,
      {
        metadata,
        immutable: true,
        data: { "__main__.py": readFileSync(join(__dirname, "githubAudit/__main__.py"), "utf8") },
      },
      parent,
    );
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      parent,
    );
    new CronJob(
      `${name}-job`,
      {
        metadata: { ...metadata, name },
        spec: {
          schedule: everyMinutes === 60 ? "0 * * * *" : `*/${everyMinutes} * * * *`,
          // What one of them has brought, the next one must not bring again.
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: 60,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 1,
          jobTemplate: {
            spec: {
              backoffLimit: 0,
              activeDeadlineSeconds: everyMinutes * 60,
              template: {
                metadata: { labels: labels(githubAuditIdentity) },
                spec: {
                  restartPolicy: "Never",
                  serviceAccountName: account.metadata.name,
                  automountServiceAccountToken: false,
                  enableServiceLinks: false,
                  priorityClassName: args.priorityClassName,
                  securityContext: podSecurity(65532, args),
                  containers: [container(args)],
                  volumes: [{ name: "script", configMap: { name: script.metadata.name } }],
                },
              },
            },
          },
        },
      },
      parent,
    );
    this.registerOutputs();
  }
}

function container({ settings, images }: GitHubAuditArgs): input.core.v1.Container {
  return {
    name: "github-audit",
    image: imageReference("python", images),
    imagePullPolicy: "IfNotPresent",
    command: ["python3", scriptPath],
    env: [
      { name: "ORGANISATION", value: settings.organisation },
      { name: "GITHUB_API", value: settings.api },
      { name: "INCLUDE", value: settings.include },
      { name: "LOKI", value: loki.address },
      { name: "TIMEOUT_SECONDS", value: String(settings.everyMinutes * 60 - 20) },
      {
        name: "GITHUB_TOKEN",
        valueFrom: { secretKeyRef: { name: settings.existingSecret, key: "token" } },
      },
    ],
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "200m", memory: "96Mi" } },
    securityContext: containerSecurity,
    volumeMounts: [{ name: "script", mountPath: scriptPath, readOnly: true }],
  };
}
