import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, Service } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { GatewaySettings } from "../config/platform";
import { imageReference, images, type ImageSource } from "../images";
import { labels, selectorLabels, type Identity } from "../labels";
import { scrapeAnnotations } from "../monitoring/scraping";
import {
  containerSecurity,
  podSecurity,
  type PodSecurityArgs,
  resourceRequirements,
  topologySpread,
} from "../security";
import { TraefikAccess } from "./traefikAccess";
import { traefikArguments, traefikFile, traefikPorts, traefikShutdown } from "./traefikArguments";

/** How other parts of the platform find Traefik's Pods. */
export const traefikIdentity: Identity = { name: "traefik", component: "gateway" };

export interface TraefikArgs extends PodSecurityArgs {
  readonly settings: GatewaySettings;
  readonly images: ImageSource;
  /** Namespace that it runs in. */
  readonly namespace: pulumi.Input<string>;
  /** Names of all namespaces that it serves, its own among them. */
  readonly served: readonly string[];
  readonly priorityClassName: pulumi.Input<string>;
  /** Whether releases divide the traffic by Traefik's own objects. */
  readonly ownObjects: boolean;
}

const configurationPath = "/etc/traefik/dynamic";

/** Traefik, which implements the Gateway API. Its dashboard and API are off; its metrics are on a port of their own. */
export class Traefik extends pulumi.ComponentResource {
  constructor(name: string, args: TraefikArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:Traefik", name, {}, opts);
    const parent = { parent: this };
    const { settings, namespace } = args;
    const selector = selectorLabels(traefikIdentity);
    const metadata = { namespace, labels: labels(traefikIdentity, images.traefik.version) };
    const access = new TraefikAccess(
      `${name}-access`,
      {
        namespace,
        served: Object.fromEntries(args.served.map((served) => [served, served])),
        labels: labels(traefikIdentity),
        ownObjects: args.ownObjects,
      },
      parent,
    );
    const configuration = new ConfigMap(
      `${name}-configuration`,
      {
        metadata: { namespace, labels: labels(traefikIdentity) },
        immutable: true,
        data: { "dynamic.yaml": traefikFile(settings.minimumTlsVersion) },
      },
      parent,
    );
    new Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas: settings.replicas,
          revisionHistoryLimit: 0,
          selector: { matchLabels: selector },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          minReadySeconds: 5,
          template: {
            metadata: { labels: metadata.labels, annotations: scrapeAnnotations(traefikPorts.metrics) },
            spec: {
              serviceAccountName: access.serviceAccount,
              // Its account's token is what it watches Services and routes with.
              automountServiceAccountToken: true,
              enableServiceLinks: false,
              priorityClassName: args.priorityClassName,
              securityContext: podSecurity(65532, args),
              terminationGracePeriodSeconds: traefikShutdown.acceptSeconds + traefikShutdown.graceSeconds + 5,
              topologySpreadConstraints: topologySpread(settings.spread, selector),
              containers: [container(args)],
              volumes: [{ name: "configuration", configMap: { name: configuration.metadata.name } }],
            },
          },
        },
      },
      parent,
    );
    new Service(
      `${name}-service`,
      { metadata: { ...metadata, name, ...annotations(settings) }, spec: serviceSpec(settings, selector) },
      parent,
    );
    if (settings.replicas > 1) {
      new PodDisruptionBudget(
        `${name}-budget`,
        { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: selector } } },
        parent,
      );
    }
    this.registerOutputs();
  }
}

function container(args: TraefikArgs): input.core.v1.Container {
  const ping = { path: "/ping", port: "metrics" };
  return {
    name: "traefik",
    image: imageReference("traefik", args.images),
    imagePullPolicy: "IfNotPresent",
    args: traefikArguments({
      namespaces: args.served,
      trustedProxies: args.settings.trustedProxies,
      ownObjects: args.ownObjects,
      dynamicFile: `${configurationPath}/dynamic.yaml`,
    }),
    ports: Object.entries(traefikPorts).map(([name, containerPort]) => ({ name, containerPort })),
    // It answers pings before it has read its routes; requests that came by then would find none.
    readinessProbe: {
      httpGet: ping,
      initialDelaySeconds: 5,
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 3,
    },
    livenessProbe: { httpGet: ping, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 6 },
    resources: resourceRequirements(args.settings.resources),
    securityContext: containerSecurity,
    volumeMounts: [{ name: "configuration", mountPath: configurationPath, readOnly: true }],
  };
}

function annotations({ service }: GatewaySettings): { annotations?: Record<string, string> } {
  return service.type === "LoadBalancer" ? { annotations: service.annotations } : {};
}

/** The Service in front: how much of the world reaches Traefik is the stack's choice. */
function serviceSpec(
  { service }: GatewaySettings,
  selector: Record<string, string>,
): input.core.v1.ServiceSpec {
  const port = (name: "http" | "https", number: number, nodePort: number | undefined) => ({
    name,
    port: number,
    targetPort: name,
    ...(nodePort === undefined ? {} : { nodePort }),
  });
  const nodePorts = service.type === "NodePort" ? service : undefined;
  return {
    type: service.type,
    selector,
    ports: [port("http", 80, nodePorts?.httpPort), port("https", 443, nodePorts?.httpsPort)],
    ...(service.type === "LoadBalancer"
      ? {
          loadBalancerSourceRanges: service.sourceRanges,
          // The client's address is kept, and a node without Traefik gets no traffic.
          externalTrafficPolicy: "Local",
        }
      : {}),
  };
}
