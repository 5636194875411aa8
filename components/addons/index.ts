import * as pulumi from "@pulumi/pulumi";
import { AllowedFlows, type Pods } from "../cluster/flows";
import type { ClusterSettings, GatewaySettings, MetricsServerSettings } from "../config/platform";
import type { ImageSource } from "../images";
import { selectorLabels } from "../labels";
import { UpstreamManifest } from "../manifest";
import { addonFlows } from "./flows";
import { Gateway, type GatewayArgs } from "./gateway";
import { MetricsServer } from "./metricsServer";
import { Traefik, traefikIdentity } from "./traefik";

export interface AddonsArgs extends Pick<GatewayArgs, "hostnames" | "certificate" | "privateKey"> {
  readonly gateway: GatewaySettings;
  readonly network: ClusterSettings["network"];
  /** Left out where the cluster brings its own. */
  readonly metricsServer?: MetricsServerSettings;
  readonly images: ImageSource;
  readonly gatewayNamespace: pulumi.Input<string>;
  /** Names of all namespaces that have routes or the gateway itself. */
  readonly served: readonly string[];
  readonly priorityClassName: pulumi.Input<string>;
}

/** What the platform adds to a bare cluster, in the order in which it is needed. */
export class Addons extends pulumi.ComponentResource {
  readonly gateway: Gateway;
  /** The Pods that users' requests come from. */
  readonly gatewayPods: Pods;

  constructor(name: string, args: AddonsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:Addons", name, {}, opts);
    const after = (...dependsOn: pulumi.Resource[]) => ({ parent: this, dependsOn });
    const namespace = args.gatewayNamespace;
    this.gatewayPods = { namespace, labels: selectorLabels(traefikIdentity) };
    const flows = new AllowedFlows(
      `${name}-flows`,
      { flows: addonFlows({ ...args, gatewayPods: this.gatewayPods }) },
      after(),
    );
    if (args.metricsServer !== undefined) {
      new MetricsServer(
        "metrics-server",
        { settings: args.metricsServer, images: args.images },
        after(flows),
      );
    }
    const definitions = new UpstreamManifest("gateway-api", { manifest: "gateway-api" }, after());
    const traefik = new Traefik(
      "traefik",
      { ...args, settings: args.gateway, namespace },
      after(flows, definitions),
    );
    this.gateway = new Gateway(
      "gateway",
      { ...args, settings: args.gateway, namespace, routedNamespaces: args.served },
      after(definitions, traefik),
    );
    this.registerOutputs();
  }
}
