import { LimitRange, Namespace, ResourceQuota } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import * as pulumi from "@pulumi/pulumi";
import type { QuotaSettings } from "../config/platform";
import { platformLabels } from "../labels";
import type { PodSecurityStandard } from "./namespaces";

export interface PlatformNamespaceArgs {
  /** Name of the namespace; addresses and certificates refer to it. */
  readonly namespace: string;
  /** The most that all of its Pods may have together. */
  readonly quota: QuotaSettings;
  /** The Pod Security Standard that the API server holds its Pods to. */
  readonly standard: PodSecurityStandard;
}

/**
 * A namespace in which nothing is allowed that was not asked for: the restricted Pod Security Standard, no traffic
 * in either direction, a quota, and limits for containers that forgot theirs.
 */
export class PlatformNamespace extends pulumi.ComponentResource {
  /** The name. Whoever starts Pods there depends on this component, so that none starts in an open namespace. */
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: PlatformNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:cluster:PlatformNamespace", name, {}, opts);
    const parent = { parent: this };
    const created = new Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: args.namespace,
          labels: { ...platformLabels, ...podSecurityLabels(args.standard) },
        },
      },
      parent,
    );
    this.namespace = created.metadata.name;
    const metadata = { namespace: this.namespace, labels: platformLabels };
    new NetworkPolicy(
      `${name}-default-deny`,
      { metadata, spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } },
      parent,
    );
    new ResourceQuota(`${name}-quota`, { metadata, spec: { hard: quotaOf(args.quota) } }, parent);
    new LimitRange(
      `${name}-limits`,
      {
        metadata,
        spec: {
          limits: [
            {
              type: "Container",
              defaultRequest: { cpu: "50m", memory: "64Mi" },
              default: { cpu: "250m", memory: "128Mi" },
            },
          ],
        },
      },
      parent,
    );
    this.registerOutputs({ namespace: this.namespace });
  }
}

/** The standard is enforced; warnings and audit entries name its newest rules, so that an upgrade surprises nobody. */
function podSecurityLabels(standard: string): Record<string, string> {
  return {
    "pod-security.kubernetes.io/enforce": standard,
    "pod-security.kubernetes.io/warn": standard,
    "pod-security.kubernetes.io/warn-version": "latest",
    "pod-security.kubernetes.io/audit": standard,
    "pod-security.kubernetes.io/audit-version": "latest",
  };
}

/** Requests never exceed limits, so bounding the limits bounds both. */
function quotaOf(quota: QuotaSettings): Record<string, string> {
  return {
    "limits.cpu": quota.cpu,
    "limits.memory": quota.memory,
    pods: String(quota.pods),
    "requests.storage": quota.storage ?? "0",
  };
}
