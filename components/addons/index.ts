import * as pulumi from "@pulumi/pulumi";
import { AllowedFlows } from "../cluster/flows";
import { entriesOf, type FlowTable } from "../cluster/flowTable";
import type { NamespaceName } from "../cluster/namespaces";
import type { Settings } from "../config";
import type { ImageSource } from "../images";
import { UpstreamManifest } from "../manifest";
import type { PodSecurityArgs } from "../security";
import { ArgoRollouts } from "./argoRollouts";
import { Falco } from "./falco";
import { eventTargets } from "./falco/targets";
import { Gateway, type GatewayArgs } from "./gateway";
import { MetricsServer } from "./metricsServer";
import { SealedSecrets, type SealedSecretsArgs } from "./sealedSecrets";
import { Traefik } from "./traefik";
import { Velero } from "./velero";

export interface AddonsArgs
  extends PodSecurityArgs, Pick<GatewayArgs, "hostnames" | "certificate" | "privateKey"> {
  /** What a stack leaves out of these is not there: the cluster brings its own, or nobody needs it. */
  readonly settings: Pick<
    Settings,
    | "argoRollouts"
    | "falco"
    | "gateway"
    | "metricsServer"
    | "monitoring"
    | "sealedSecrets"
    | "stack"
    | "velero"
  >;
  /** All traffic that the stack allows. */
  readonly flows: FlowTable;
  /** What is sealed for the stack. */
  readonly sealed: SealedSecretsArgs["files"];
  readonly images: ImageSource;
  readonly namespaceOf: (name: NamespaceName) => pulumi.Input<string>;
  /** Names of all namespaces of the platform. */
  readonly namespaceNames: readonly string[];
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
    const { namespaceOf } = args;
    const { argoRollouts, falco, metricsServer, monitoring, sealedSecrets, stack, velero } = args.settings;
    const flows = new AllowedFlows(`${name}-flows`, { flows: args.flows.addons }, after());
    if (metricsServer !== undefined) {
      new MetricsServer("metrics-server", { ...args, settings: metricsServer }, after(flows));
    }
    const controller =
      argoRollouts &&
      new ArgoRollouts(
        "argo-rollouts",
        { ...args, settings: argoRollouts, namespace: namespaceOf("delivery") },
        after(flows),
      );
    if (falco !== undefined) {
      new Falco(
        "falco",
        {
          ...args,
          settings: falco,
          namespace: namespaceOf("falco"),
          environment: stack,
          flows: entriesOf(args.flows),
          namespaces: args.namespaceNames,
          targets: eventTargets(monitoring),
        },
        after(flows),
      );
    }
    const sealing =
      sealedSecrets &&
      new SealedSecrets(
        "sealed-secrets",
        {
          ...args,
          settings: sealedSecrets,
          namespace: namespaceOf("sealing"),
          files: args.sealed,
        },
        after(flows),
      );
    this.secrets = sealing?.secrets ?? [];
    if (velero !== undefined) {
      new Velero("velero", { ...args, settings: velero, namespace: namespaceOf("backup") }, after(flows));
    }
    const definitions = new UpstreamManifest("gateway-api", { manifest: "gateway-api" }, after());
    const namespace = namespaceOf("gateway");
    const ownObjects = argoRollouts !== undefined;
    const own = ownObjects
      ? [new UpstreamManifest("traefik-definitions", { manifest: "traefik" }, after())]
      : [];
    const traefik = new Traefik(
      "traefik",
      { ...args, settings: args.settings.gateway, namespace, ownObjects },
      after(flows, definitions, ...own),
    );
    this.gateway = new Gateway(
      "gateway",
      { ...args, settings: args.settings.gateway, namespace, routedNamespaces: args.served },
      after(definitions, traefik, ...this.secrets),
    );
    const manifests = [definitions, ...own, ...(controller === undefined ? [] : [controller])];
    this.definitions = manifests.flatMap((manifest) => manifest.definitions);
    this.registerOutputs();
  }
}
