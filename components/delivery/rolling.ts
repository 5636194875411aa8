import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { Service } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import type { RollingSettings } from "../config/strategy";
import { labels, selectorLabels } from "../labels";
import type { Backend, Workload, WorkloadArgs } from "./strategy";

export interface RollingWorkloadArgs extends WorkloadArgs {
  readonly strategy: RollingSettings;
}

/** Exchanges Pods one after the other, by what Kubernetes itself can do. */
export class RollingWorkload extends pulumi.ComponentResource implements Workload {
  readonly scaleTarget: Workload["scaleTarget"];
  readonly backends: readonly Backend[];

  constructor(name: string, args: RollingWorkloadArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:RollingWorkload", name, {}, opts);
    const parent = { parent: this };
    const { identity, namespace, strategy } = args;
    const selector = selectorLabels(identity);
    const metadata = { namespace, labels: labels(identity, args.version) };
    const service = new Service(
      `${name}-service`,
      {
        metadata: { namespace, labels: labels(identity), name },
        spec: { selector, ports: [{ name: "http", port: 80, targetPort: "http" }] },
      },
      parent,
    );
    const deployment = new Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: selector },
          strategy: {
            type: "RollingUpdate",
            rollingUpdate: { maxSurge: strategy.maxSurge, maxUnavailable: strategy.maxUnavailable },
          },
          minReadySeconds: strategy.minReadySeconds,
          progressDeadlineSeconds: strategy.progressDeadlineSeconds,
          // An earlier version comes back through the stack's history, which brings its configuration along. A
          // ReplicaSet kept by the cluster would refer to a ConfigMap and a Secret that are no longer there.
          revisionHistoryLimit: 0,
          template: args.template,
        },
      },
      // A deadline that has passed is the cluster's to report; waiting longer than it only hides the reason.
      { ...parent, customTimeouts: timeouts(strategy.progressDeadlineSeconds + 60) },
    );
    this.scaleTarget = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      name: deployment.metadata.name,
    };
    this.backends = [{ name: service.metadata.name, port: 80 }];
    this.registerOutputs();
  }
}

function timeouts(seconds: number): pulumi.CustomTimeouts {
  return { create: `${seconds}s`, update: `${seconds}s` };
}
