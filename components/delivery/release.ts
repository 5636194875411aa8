import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { labels, type Identity } from "../labels";
import { ReleaseOutcome, type ReleaseOutcomeArgs } from "./outcome";
import { liveLabels } from "./service";
import type { Strategy } from "./strategy";
import type { ServingPod } from "./workload";

export interface ReleaseArgs extends Omit<ReleaseOutcomeArgs, "rollout" | "release" | "timeoutSeconds"> {
  readonly identity: Identity;
  readonly version: string;
  readonly template: ServingPod;
  /** With an autoscaler the number that the first release begins with. */
  readonly replicas: number;
  readonly autoscaled: boolean;
  readonly minReadySeconds: number;
  readonly progressDeadlineSeconds: number;
  readonly strategy: Strategy;
}

/**
 * How many earlier versions the cluster keeps, with their configuration, to go back to. Those that failed count too, and
 * the oldest go first: with few, some attempts in a row would push out the one that served before them.
 */
const keptVersions = 20;

/** The application's Pods. Another template is another release, which the controller brings to the users. */
export class Release extends pulumi.ComponentResource {
  /** The object that is scaled. */
  readonly scaleTarget: input.autoscaling.v2.CrossVersionObjectReference;

  constructor(name: string, args: ReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Release", name, {}, opts);
    const { identity, namespace, strategy } = args;
    // What is released, in one word: whoever waits for it knows by it whether it is still this.
    const release = pulumi.output(args.template).apply(digest);
    const rollout = new CustomResource(
      `${name}-rollout`,
      {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Rollout",
        metadata: {
          namespace,
          name: identity.name,
          labels: labels(identity, args.version),
          // Somebody who goes back by hand writes the template too; the next release takes it over again.
          annotations: { "pulumi.com/patchForce": "true" },
        },
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: liveLabels(identity) },
          minReadySeconds: args.minReadySeconds,
          progressDeadlineSeconds: args.progressDeadlineSeconds,
          progressDeadlineAbort: true,
          revisionHistoryLimit: keptVersions,
          strategy: strategy.spec,
          template: {
            ...args.template,
            metadata: {
              ...args.template.metadata,
              annotations: { ...args.template.metadata.annotations, [releaseAnnotation]: release },
            },
          },
        },
      },
      // Left out instead, it would be one Pod as soon as an autoscaler is to decide, until that has decided.
      { parent: this, ignoreChanges: args.autoscaled ? ["spec.replicas"] : [] },
    );
    new ReleaseOutcome(
      `${name}-outcome`,
      { ...args, rollout: rollout.metadata.name, release, timeoutSeconds: strategy.timeoutSeconds },
      { parent: this, dependsOn: rollout },
    );
    this.scaleTarget = { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout", name: rollout.metadata.name };
    this.registerOutputs();
  }
}

/** Annotation of every Pod that says which release it belongs to. */
const releaseAnnotation = "technova.io/release";

function digest(template: pulumi.Unwrap<input.core.v1.PodTemplateSpec>): string {
  return createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 16);
}
