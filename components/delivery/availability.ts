import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import type { input } from "@pulumi/kubernetes/types";
import type * as pulumi from "@pulumi/pulumi";
import type { ApplicationSettings } from "../config/application";
import { labels, type Identity } from "../labels";
import { liveLabels } from "./service";

export interface AvailabilityArgs {
  readonly identity: Identity;
  readonly settings: ApplicationSettings;
  readonly namespace: pulumi.Input<string>;
  /** The object that is scaled. */
  readonly scaleTarget: input.autoscaling.v2.CrossVersionObjectReference;
}

/** How many Pods there are, and how many of them an eviction may take. */
export function availability(
  name: string,
  { identity, settings, namespace, scaleTarget }: AvailabilityArgs,
  opts: pulumi.CustomResourceOptions,
): void {
  const { autoscaling } = settings;
  const metadata = { namespace, labels: labels(identity) };
  if (settings.replicas > 1) {
    new PodDisruptionBudget(
      `${name}-budget`,
      {
        metadata,
        spec: { ...settings.disruptionBudget, selector: { matchLabels: liveLabels(identity) } },
      },
      opts,
    );
  }
  if (autoscaling === undefined) return;
  new HorizontalPodAutoscaler(
    `${name}-autoscaler`,
    {
      metadata,
      spec: {
        scaleTargetRef: scaleTarget,
        minReplicas: settings.replicas,
        maxReplicas: autoscaling.maxReplicas,
        metrics: [
          {
            type: "Resource",
            resource: {
              name: "cpu",
              target: { type: "Utilization", averageUtilization: autoscaling.cpuUtilizationPercent },
            },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: autoscaling.scaleDownStabilizationSeconds } },
      },
    },
    opts,
  );
}
