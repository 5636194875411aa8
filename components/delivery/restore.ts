import { CronJob } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "../labels";
import type { Snapshots } from "./snapshot";
import { commandPod, type PodArgs } from "./workload";

export interface RestoreArgs extends PodArgs {
  readonly namespace: pulumi.Input<string>;
  readonly snapshots: Snapshots;
}

/**
 * The pattern of a Job that restores a snapshot into an empty database. It never runs by itself: a person makes a Job
 * from it, once the ConfigMap of the same name says in its key `snapshot` which one is meant.
 */
export class Restore extends pulumi.ComponentResource {
  constructor(name: string, args: RestoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Restore", name, {}, opts);
    const { migration, version } = args.settings;
    const restoreName = `${args.identity.name}-restore`;
    const { before, restore } = args.snapshots.restoreSteps(args, restoreName);
    const { metadata, spec } = commandPod(args, { command: [] }, before, args.snapshots.volumes());
    new CronJob(
      `${name}-pattern`,
      {
        metadata: {
          name: restoreName,
          namespace: args.namespace,
          labels: labels(args.identity, version),
        },
        spec: {
          schedule: "0 0 1 1 *",
          suspend: true,
          jobTemplate: {
            spec: {
              backoffLimit: 0,
              activeDeadlineSeconds: migration.timeoutSeconds,
              template: { metadata, spec: { ...spec, containers: [restore] } },
            },
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
