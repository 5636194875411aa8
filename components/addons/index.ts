import * as pulumi from "@pulumi/pulumi";
import { AllowedFlows, type Flow } from "../cluster/flows";
import type { ArgoRolloutsSettings, GatewaySettings, MetricsServerSettings } from "../config/platform";
import type { ImageSource } from "../images";
import { UpstreamManifest } from "../manifest";
import type { PodSecurityArgs } from "../security";
import { ArgoRollouts } from "./argoRollouts";
import { Falco, type FalcoArgs } from "./falco";
import { Gateway, type GatewayArgs } from "./gateway";
import { MetricsServer } from "./metricsServer";
import { SealedSecrets, type SealedSecretsArgs } from "./sealedSecrets";
import { Traefik } from "./traefik";
import { Velero, type VeleroArgs } from "./velero";

export interface AddonsArgs
  extends PodSecurityArgs, Pick<GatewayArgs, "hostnames" | "certificate" | "privateKey"> {
  readonly gateway: GatewaySettings;
  /** What the add-ons may say, and who may speak to them. */
  readonly flows: readonly Flow[];
  /** Left out where the cluster brings its own. */
  readonly metricsServer?: MetricsServerSettings;
  /** Left out where nothing drives releases. */
  readonly argoRollouts?: ArgoRolloutsSettings;
  /** Left out where nothing watches the containers. */
  readonly falco?: Omit<FalcoArgs, "appArmor" | "images" | "priorityClassName">;
  /** Left out where nothing opens sealed Secrets. */
  readonly sealedSecrets?: Omit<SealedSecretsArgs, "appArmor" | "images" | "priorityClassName">;
  /** Left out where nothing keeps the cluster. */
  readonly velero?: Omit<VeleroArgs, "appArmor" | "images" | "priorityClassName">;
  readonly images: ImageSource;
  readonly gatewayNamespace: pulumi.Input<string>;
  /** Needed with `argoRollouts`. */
  readonly deliveryNamespace?: pulumi.Input<string>;
  /** Names of all namespaces that have routes or the gateway itself. */
  readonly served: readonly string[];
  /** Name of the namespace whose releases are driven. */
  readonly released: string;
  readonly priorityClassName: pulumi.Input<string>;
}

/** What the platform adds to a bare cluster, in the order in which it is needed. */
export class Addons extends pulumi.ComponentResource {
  readonly gateway: Gateway;
  /** CRDs of the kinds that applications are released with. */
  readonly definitions: readonly pulumi.Resource[];
  /** Secrets that were sealed; whoever reads them waits for them. */
  readonly secrets: readonly pulumi.Resource[];

  constructor(name: string, args: AddonsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:Addons", name, {}, opts);
    const after = (...dependsOn: pulumi.Resource[]) => ({ parent: this, dependsOn });
    const namespace = args.gatewayNamespace;
    const { argoRollouts, deliveryNamespace, falco, sealedSecrets, velero } = args;
    const flows = new AllowedFlows(`${name}-flows`, { flows: args.flows }, after());
    if (args.metricsServer !== undefined) {
      new MetricsServer("metrics-server", { ...args, settings: args.metricsServer }, after(flows));
    }
    const controller =
      argoRollouts !== undefined && deliveryNamespace !== undefined
        ? new ArgoRollouts(
            "argo-rollouts",
            { ...args, settings: argoRollouts, namespace: deliveryNamespace },
            after(flows),
          )
        : undefined;
    if (falco !== undefined) new Falco("falco", { ...args, ...falco }, after(flows));
    this.secrets =
      sealedSecrets === undefined
        ? []
        : new SealedSecrets("sealed-secrets", { ...args, ...sealedSecrets }, after(flows)).secrets;
    if (velero !== undefined) new Velero("velero", { ...args, ...velero }, after(flows));
    const definitions = new UpstreamManifest("gateway-api", { manifest: "gateway-api" }, after());
    const ownObjects = argoRollouts !== undefined;
    const own = ownObjects
      ? [new UpstreamManifest("traefik-definitions", { manifest: "traefik" }, after())]
      : [];
    const traefik = new Traefik(
      "traefik",
      { ...args, settings: args.gateway, namespace, ownObjects },
      after(flows, definitions, ...own),
    );
    this.gateway = new Gateway(
      "gateway",
      { ...args, settings: args.gateway, namespace, routedNamespaces: args.served },
      after(definitions, traefik, ...this.secrets),
    );
    const manifests = [definitions, ...own, ...(controller === undefined ? [] : [controller])];
    this.definitions = manifests.flatMap((manifest) => manifest.definitions);
    this.registerOutputs();
  }
}
