import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import * as pulumi from "@pulumi/pulumi";
import type { Backend } from "./strategy";

/*
 * What has to be Traefik's own: the Gateway API has weights, but the controller cannot set them there without a
 * plugin that only a download brings. Another gateway would exchange this file.
 */

export interface WeightedServiceArgs {
  readonly namespace: pulumi.Input<string>;
  readonly labels: Record<string, string>;
  readonly name: string;
  /** The first gets all traffic until the controller divides it. */
  readonly services: readonly [pulumi.Input<string>, pulumi.Input<string>];
}

/** Divides requests between two Services by weights that the controller sets. */
export class WeightedService extends pulumi.ComponentResource {
  readonly name: pulumi.Output<string>;
  /** What a route refers to. */
  readonly backend: Backend;

  constructor(name: string, args: WeightedServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:WeightedService", name, {}, opts);
    const service = new CustomResource(
      `${name}-service`,
      {
        apiVersion: "traefik.io/v1alpha1",
        kind: "TraefikService",
        metadata: { name: args.name, namespace: args.namespace, labels: args.labels },
        // Never changed: the list is applied as a whole, which would set back the weights of the controller.
        spec: {
          weighted: {
            services: args.services.map((each, index) => ({
              name: each,
              port: 80,
              weight: index === 0 ? 100 : 0,
            })),
          },
        },
      },
      { parent: this, ignoreChanges: ["spec"] },
    );
    this.name = service.metadata.name;
    this.backend = { group: "traefik.io", kind: "TraefikService", name: this.name };
    this.registerOutputs();
  }
}
