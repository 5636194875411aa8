import { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import { labels, type Identity } from "../labels";
import { commandPod, type PodArgs } from "./workload";

export interface MigrationArgs extends PodArgs {
  readonly namespace: pulumi.Input<string>;
}

export function migrationIdentity(application: string): Identity {
  return { name: application, component: "migration" };
}

/**
 * Brings the database's schema to the release's revision before any Pod of the release starts; the release fails if
 * it fails. Both versions work on the new schema, so the old one goes on serving meanwhile.
 */
export class Migration extends pulumi.ComponentResource {
  constructor(name: string, args: MigrationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Migration", name, {}, opts);
    const { settings } = args;
    new Job(
      `${name}-job`,
      {
        metadata: {
          namespace: args.namespace,
          labels: labels(args.identity, settings.version),
          annotations: {
            // One that failed is made anew by the next update instead of being waited for again.
            "pulumi.com/replaceUnready": "true",
          },
        },
        spec: {
          backoffLimit: settings.migration.retries,
          activeDeadlineSeconds: settings.migration.timeoutSeconds,
          // No time to live: a Job that the cluster removed by itself would be run again by the next refresh. There
          // is only one: a Job's template cannot change, so another image or revision is a new Job with a new name,
          // and the old one goes when the release is through.
          template: commandPod(args, ["inventory", "migrate", "--to", settings.schemaRevision]),
        },
      },
      { parent: this, customTimeouts: { create: `${settings.migration.timeoutSeconds + 60}s` } },
    );
    this.registerOutputs();
  }
}
