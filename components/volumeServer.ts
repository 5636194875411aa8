import { StatefulSet } from "@pulumi/kubernetes/apps/v1";
import type { input } from "@pulumi/kubernetes/types";
import type * as pulumi from "@pulumi/pulumi";
import { podSecurity, type PodSecurityArgs } from "./security";

export interface VolumeServerArgs extends PodSecurityArgs {
  /** A fixed name: the volume's claim is named after it, and has to be found again by a replacement. */
  readonly serverName: string;
  readonly namespace: pulumi.Input<string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly selector: Readonly<Record<string, string>>;
  readonly serviceName: pulumi.Input<string>;
  /** @default 1 */
  readonly replicas?: number;
  /** User and group that it runs as. */
  readonly user: number;
  readonly podAnnotations: Readonly<Record<string, string>>;
  /** What is particular to it; it has a volume `data`. */
  readonly pod: Omit<input.core.v1.PodSpec, "securityContext" | "enableServiceLinks">;
  /** How what is on the volume can be had again: `technova.io/backup`. */
  readonly backup: string;
  readonly volume: { readonly storage: string; readonly storageClassName?: string };
}

/** A server whose every Pod has a volume `data` of its own, and keeps it when it is replaced. */
export function volumeServer(
  name: string,
  args: VolumeServerArgs,
  opts: pulumi.CustomResourceOptions,
): StatefulSet {
  const { serverName, namespace, labels, selector, volume } = args;
  return new StatefulSet(
    name,
    {
      metadata: {
        namespace,
        labels,
        name: serverName,
        annotations: { "technova.io/backup": args.backup },
      },
      spec: {
        serviceName: args.serviceName,
        replicas: args.replicas ?? 1,
        revisionHistoryLimit: 0,
        // In the ordered policy a Pod that never became ready is not replaced by its own correction.
        podManagementPolicy: "Parallel",
        selector: { matchLabels: selector },
        template: {
          metadata: { labels, annotations: args.podAnnotations },
          spec: { ...args.pod, enableServiceLinks: false, securityContext: podSecurity(args.user, args) },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: "data", labels: selector },
            spec: {
              accessModes: ["ReadWriteOnce"],
              storageClassName: volume.storageClassName,
              resources: { requests: { storage: volume.storage } },
            },
          },
        ],
      },
    },
    opts,
  );
}
