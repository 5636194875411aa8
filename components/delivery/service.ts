import { Service } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { labels, selectorLabels, type Identity } from "../labels";

/** Whether a Pod serves users or is only tried out. */
export const trafficLabel = "technova.io/traffic";

/** Labels of the Pods that serve users. */
export function liveLabels(identity: Identity): Record<string, string> {
  return { ...selectorLabels(identity), [trafficLabel]: "live" };
}

export interface LiveServiceArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
}

/** A Service in front of all Pods that serve, whatever their version; returns its name in the cluster. */
export function liveService(
  name: string,
  serviceName: string,
  { identity, namespace }: LiveServiceArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  return new Service(
    name,
    {
      metadata: { namespace, labels: labels(identity), name: serviceName },
      spec: { selector: liveLabels(identity), ports: [{ name: "http", port: 80, targetPort: "http" }] },
    },
    opts,
  ).metadata.name;
}

/**
 * The Services in front of one version each. The controller writes into their selectors which one; every strategy has
 * the same two, so that another one goes on with what the one before has written.
 */
export class VersionServices extends pulumi.ComponentResource {
  /** Name of the Service of the version that users have. */
  readonly stable: pulumi.Output<string>;
  /** Name of the Service of the version that is being released. */
  readonly preview: pulumi.Output<string>;

  constructor(name: string, args: LiveServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:VersionServices", name, {}, opts);
    const parent = { parent: this };
    const { name: application } = args.identity;
    this.stable = liveService(`${name}-stable`, `${application}-stable`, args, parent);
    this.preview = liveService(`${name}-preview`, `${application}-preview`, args, parent);
    this.registerOutputs();
  }
}
