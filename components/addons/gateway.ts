import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { Secret } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import type { GatewaySettings } from "../config/platform";
import { platformLabels } from "../labels";
import { Certificate } from "./certificate";
import { traefikPorts } from "./traefikArguments";

/** What a route says to be attached to the gateway. */
export interface ParentReference {
  readonly name: pulumi.Input<string>;
  readonly namespace: pulumi.Input<string>;
  readonly sectionName: "http" | "https";
}

export interface GatewayArgs {
  readonly settings: GatewaySettings;
  readonly namespace: pulumi.Input<string>;
  /** Names of the namespaces whose routes are attached. */
  readonly routedNamespaces: readonly string[];
  /** Names that the gateway answers to. */
  readonly hostnames: readonly string[];
  /** For `tls.mode: provided`: PEM of the certificate chain and its key. */
  readonly certificate?: pulumi.Input<string>;
  readonly privateKey?: pulumi.Input<string>;
}

const apiVersion = "gateway.networking.k8s.io/v1";

/**
 * The gateway as the Gateway API sees it: listeners, TLS and the redirect from HTTP. Another implementation could
 * take over by its controller's name and its ports.
 */
export class Gateway extends pulumi.ComponentResource {
  /** What application routes are attached to. */
  readonly parent: ParentReference;
  /** PEM of the authority that signed the gateway's certificate, where the platform made it. */
  readonly caCertificate: pulumi.Output<string> | undefined;

  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:Gateway", name, {}, opts);
    const parent = { parent: this };
    const { settings, namespace } = args;
    const metadata = { namespace, labels: platformLabels };
    const tls = this.certificate(name, args);
    this.caCertificate = tls.caCertificate;
    const gatewayClass = new CustomResource(
      `${name}-class`,
      {
        apiVersion,
        kind: "GatewayClass",
        metadata: { labels: platformLabels },
        spec: { controllerName: "traefik.io/gateway-controller" },
      },
      parent,
    );
    const listener = (listenerName: "http" | "https", protocol: string, port: number, from: object) => ({
      name: listenerName,
      protocol,
      port,
      allowedRoutes: { namespaces: from },
    });
    const gateway = new CustomResource(
      `${name}-listeners`,
      {
        apiVersion,
        kind: "Gateway",
        metadata: {
          ...metadata,
          // The URL works once Traefik has taken the listeners over.
          annotations: { "pulumi.com/waitFor": "condition=Programmed" },
        },
        spec: {
          gatewayClassName: gatewayClass.metadata.name,
          listeners: [
            listener("http", "HTTP", traefikPorts.http, { from: "Same" }),
            {
              ...listener("https", "HTTPS", traefikPorts.https, {
                from: "Selector",
                selector: {
                  matchExpressions: [
                    { key: "kubernetes.io/metadata.name", operator: "In", values: args.routedNamespaces },
                  ],
                },
              }),
              tls: { mode: "Terminate", certificateRefs: [{ kind: "Secret", name: tls.secretName }] },
            },
          ],
        },
      },
      parent,
    );
    this.parent = { name: gateway.metadata.name, namespace, sectionName: "https" };
    new CustomResource(
      `${name}-redirect`,
      {
        apiVersion,
        kind: "HTTPRoute",
        metadata,
        spec: {
          parentRefs: [{ name: gateway.metadata.name, sectionName: "http" }],
          rules: [
            {
              filters: [
                {
                  type: "RequestRedirect",
                  requestRedirect: { scheme: "https", port: publicPort(settings), statusCode: 301 },
                },
              ],
            },
          ],
        },
      },
      parent,
    );
    this.registerOutputs({ caCertificate: this.caCertificate });
  }

  /** The Secret with certificate and key, by the way that the stack chose. */
  private certificate(name: string, args: GatewayArgs): TlsSecret {
    const { tls } = args.settings;
    if (tls.mode === "existingSecret") return { secretName: tls.secretName, caCertificate: undefined };
    const parent = { parent: this };
    const own =
      tls.mode === "selfSigned"
        ? new Certificate(`${name}-tls`, { dnsNames: args.hostnames, validityDays: tls.validityDays }, parent)
        : undefined;
    const secret = new Secret(
      `${name}-tls`,
      {
        metadata: { namespace: args.namespace, labels: platformLabels },
        type: "kubernetes.io/tls",
        stringData: {
          "tls.crt": own?.certificate ?? required(args.certificate, "certificate"),
          "tls.key": own?.privateKey ?? required(args.privateKey, "privateKey"),
        },
      },
      parent,
    );
    return { secretName: secret.metadata.name, caCertificate: own?.caCertificate };
  }
}

interface TlsSecret {
  readonly secretName: pulumi.Input<string>;
  readonly caCertificate: pulumi.Output<string> | undefined;
}

function required(value: pulumi.Input<string> | undefined, argument: string): pulumi.Input<string> {
  if (value === undefined) throw new pulumi.RunError(`a gateway with provided TLS needs its ${argument}`);
  return value;
}

/** The port that clients use for HTTPS. */
export function publicPort({ service }: GatewaySettings): number {
  return service.type === "NodePort" ? service.httpsPort : 443;
}

/** The address under which clients reach a host. */
export function publicUrl(hostname: string, settings: GatewaySettings): string {
  const port = publicPort(settings);
  return port === 443 ? `https://${hostname}` : `https://${hostname}:${port}`;
}
