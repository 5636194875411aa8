import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { Service } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import type { CanarySettings } from "../config/strategy";
import { labels, selectorLabels } from "../labels";
import { ReleaseAnalysis } from "./analysis";
import { ReleaseOutcome } from "./outcome";
import type { Backend, Workload, WorkloadArgs } from "./strategy";
import { WeightedService } from "./traefik";

export interface CanaryWorkloadArgs extends WorkloadArgs {
  readonly strategy: CanarySettings;
}

/** Gives a new version a growing share of the traffic while it is measured, and takes it away when it does badly. */
export class CanaryWorkload extends pulumi.ComponentResource implements Workload {
  readonly scaleTarget: Workload["scaleTarget"];
  readonly backends: readonly Backend[];
  readonly testBackends: readonly Backend[];

  constructor(name: string, args: CanaryWorkloadArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:CanaryWorkload", name, {}, opts);
    const parent = { parent: this };
    const { identity, namespace, strategy, releases } = args;
    if (releases === undefined) {
      throw new pulumi.RunError(`a canary of ${name} needs something that drives releases and measures them`);
    }
    const selector = selectorLabels(identity);
    const metadata = { namespace, labels: labels(identity) };
    const service = (serviceName: string, role: string) =>
      new Service(
        `${name}-${role}`,
        {
          metadata: { ...metadata, name: serviceName },
          // The controller adds to the selector which version is meant.
          spec: { selector, ports: [{ name: "http", port: 80, targetPort: "http" }] },
        },
        parent,
      ).metadata.name;
    // Of its own name: the controller writes into its selector, where another strategy's Pods would not be found.
    const stableService = service(`${name}-stable`, "stable-service");
    const canaryService = service(`${name}-canary`, "canary-service");
    const weighted = new WeightedService(
      `${name}-weighted`,
      { namespace, labels: labels(identity), name, services: [stableService, canaryService] },
      parent,
    );
    const analysis = new ReleaseAnalysis(
      `${name}-analysis`,
      { identity, namespace, settings: strategy.analysis, prometheus: releases.prometheus },
      parent,
    );
    const hash = (of: string, podTemplateHashValue: string) => ({
      name: of,
      valueFrom: { podTemplateHashValue },
    });
    const versions = [hash("release", "Latest"), hash("stable", "Stable")];
    const rollout = new CustomResource(
      `${name}-rollout`,
      {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Rollout",
        metadata: { ...metadata, name, labels: labels(identity, args.version) },
        spec: {
          ...(args.replicas === undefined ? {} : { replicas: args.replicas }),
          selector: { matchLabels: selector },
          minReadySeconds: strategy.minReadySeconds,
          progressDeadlineSeconds: strategy.progressDeadlineSeconds,
          progressDeadlineAbort: true,
          // An earlier version comes back through the stack's history, which brings its configuration along.
          revisionHistoryLimit: 1,
          strategy: {
            canary: {
              stableService,
              canaryService,
              trafficRouting: { traefik: { weightedTraefikServiceName: weighted.name } },
              steps: [
                ...strategy.steps.map(({ setWeightPercent, pauseSeconds }) => {
                  if (setWeightPercent !== undefined) return { setWeight: setWeightPercent };
                  return { pause: pauseSeconds === undefined ? {} : { duration: `${pauseSeconds}s` } };
                }),
                { analysis: { templates: [{ templateName: analysis.deciding }], args: versions } },
              ],
              // From the first weight on.
              analysis: { startingStep: 1, templates: [{ templateName: analysis.watching }], args: versions },
            },
          },
          template: args.template,
        },
      },
      { parent: this, dependsOn: weighted },
    );
    new ReleaseOutcome(
      `${name}-outcome`,
      {
        identity,
        namespace,
        rollout: rollout.metadata.name,
        template: args.template,
        timeoutSeconds: longest(strategy),
        releases,
      },
      { parent: this, dependsOn: rollout },
    );
    this.scaleTarget = { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout", name: rollout.metadata.name };
    this.backends = [weighted.backend];
    this.testBackends = [{ name: canaryService, port: 80 }];
    this.registerOutputs();
  }
}

/** Time that somebody who has to promote by hand is given. */
const manualSeconds = 3600;

/** How long a release may take at most, in seconds. */
export function longest({ steps, analysis, progressDeadlineSeconds }: CanarySettings): number {
  const pauses = steps.map(({ pause, pauseSeconds = 0 }) =>
    pause === "manual" ? manualSeconds : pauseSeconds,
  );
  const asking = analysis.intervalSeconds * (analysis.toleratedFailures + analysis.toleratedErrors + 2);
  return pauses.reduce((sum, each) => sum + each, 0) + asking + 2 * progressDeadlineSeconds;
}
