import { Secret } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import type { MetricsServerSettings } from "../config/platform";
import { imageReference, type ImageSource } from "../images";
import { platformLabels } from "../labels";
import { UpstreamManifest, type ManifestObject, type ManifestObjectInputs } from "../manifest";
import { Certificate } from "./certificate";

/** Upstream's namespace; its role bindings are made for it. */
export const metricsServerNamespace = "kube-system";
export const metricsServerPort = 10250;
/** Upstream's label for its Pods. */
export const metricsServerLabels: Record<string, string> = { "k8s-app": "metrics-server" };

export interface MetricsServerArgs {
  readonly settings: MetricsServerSettings;
  readonly images: ImageSource;
}

const certificatePath = "/etc/metrics-server/tls";

/**
 * CPU and memory figures of Pods, for the autoscaler and `kubectl top`. Upstream's objects with a certificate that
 * the API server can verify, where upstream tells it to trust anyone.
 */
export class MetricsServer extends pulumi.ComponentResource {
  constructor(name: string, args: MetricsServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:MetricsServer", name, {}, opts);
    const parent = { parent: this };
    const certificate = new Certificate(
      `${name}-tls`,
      { dnsNames: [`metrics-server.${metricsServerNamespace}.svc`], validityDays: 365 },
      parent,
    );
    const secret = new Secret(
      `${name}-tls`,
      {
        metadata: { namespace: metricsServerNamespace, labels: platformLabels },
        type: "kubernetes.io/tls",
        immutable: true,
        stringData: { "tls.crt": certificate.certificate, "tls.key": certificate.privateKey },
      },
      { ...parent, replaceOnChanges: ["stringData"] },
    );
    new UpstreamManifest(
      `${name}-manifest`,
      {
        manifest: "metrics-server",
        patches: [
          withSelector,
          (object) => withVerifiedApi(object, certificate.caCertificate),
          (object) =>
            withHardenedDeployment(object, {
              image: imageReference("metricsServer", args.images),
              settings: args.settings,
              secretName: secret.metadata.name,
            }),
        ],
      },
      parent,
    );
    if (args.settings.replicas > 1) {
      new PodDisruptionBudget(
        `${name}-budget`,
        {
          metadata: { namespace: metricsServerNamespace, labels: platformLabels },
          spec: { maxUnavailable: 1, selector: { matchLabels: metricsServerLabels } },
        },
        parent,
      );
    }
    this.registerOutputs();
  }
}
