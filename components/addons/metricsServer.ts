import { Secret } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { MetricsServerSettings } from "../config/platform";
import { imageReference, type ImageSource } from "../images";
import { platformLabels } from "../labels";
import { UpstreamManifest, without, type ManifestObject } from "../manifest";
import { notScraped } from "../monitoring/scraping";
import {
  containerSecurity,
  podSecurity,
  type PodSecurityArgs,
  topologySpread,
  withBoundedScratch,
} from "../security";
import { Certificate } from "./certificate";

/** Upstream's namespace; its role bindings are made for it. */
export const metricsServerNamespace = "kube-system";
export const metricsServerPort = 10250;
/** Upstream's label for its Pods. */
export const metricsServerLabels: Record<string, string> = { "k8s-app": "metrics-server" };

/** What its objects are labelled with; upstream's label alone selects. */
const allLabels: Readonly<Record<string, string>> = {
  "app.kubernetes.io/name": "metrics-server",
  ...metricsServerLabels,
  ...platformLabels,
};

export interface MetricsServerArgs extends PodSecurityArgs {
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
      parent,
    );
    new UpstreamManifest(
      `${name}-manifest`,
      {
        manifest: "metrics-server",
        patches: [
          withLabels,
          (object) => withVerifiedApi(object, certificate.caCertificate),
          (object) => withHardenedDeployment(object, args, secret.metadata.name),
          withoutDefaultToken,
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

/** Upstream adds its label to everything, selectors included, when it builds a release from its objects. */
export function withLabels(object: ManifestObject): ManifestObject {
  const { labels = {} } = object.metadata as { labels?: Record<string, string> };
  const metadata = { ...object.metadata, labels: { ...labels, ...allLabels } };
  const labelled = { ...object, metadata };
  return object.kind === "Service"
    ? { ...labelled, spec: { ...(object.spec as object), selector: metricsServerLabels } }
    : labelled;
}

/** The API server verifies metrics-server by this authority and by no other. */
export function withVerifiedApi(object: ManifestObject, caCertificate: pulumi.Input<string>): ManifestObject {
  if (object.kind !== "APIService") return object;
  const caBundle = pulumi.output(caCertificate).apply((pem) => Buffer.from(pem).toString("base64"));
  return { ...object, spec: { ...without(object.spec as object, "insecureSkipTLSVerify"), caBundle } };
}

/** A token only for the Pod that asks for it. */
export function withoutDefaultToken(object: ManifestObject): ManifestObject {
  return object.kind === "ServiceAccount" ? { ...object, automountServiceAccountToken: false } : object;
}

/** Pinned image, verified kubelets, limits, spread and the platform's security defaults. */
export function withHardenedDeployment(
  object: ManifestObject,
  args: MetricsServerArgs,
  secretName: pulumi.Input<string>,
): ManifestObject {
  if (object.kind !== "Deployment") return object;
  const { settings, images } = args;
  const spec = object.spec as input.apps.v1.DeploymentSpec & { template: { spec: UpstreamPod } };
  const pod = spec.template.spec;
  const [upstream] = pod.containers;
  const container: input.core.v1.Container = {
    ...upstream,
    name: "metrics-server",
    image: imageReference("metricsServer", images),
    args: [
      ...upstream.args.filter((argument) => !argument.startsWith("--cert-dir")),
      `--tls-cert-file=${certificatePath}/tls.crt`,
      `--tls-private-key-file=${certificatePath}/tls.key`,
      settings.kubeletCertificates === "insecure"
        ? "--kubelet-insecure-tls"
        : "--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
    ],
    resources: {
      requests: { cpu: "50m", memory: "64Mi" },
      limits: { cpu: "500m", memory: "256Mi" },
    },
    securityContext: containerSecurity,
    volumeMounts: [...upstream.volumeMounts, { name: "tls", mountPath: certificatePath, readOnly: true }],
  };
  return {
    ...object,
    spec: {
      ...spec,
      replicas: settings.replicas,
      revisionHistoryLimit: 0,
      selector: { matchLabels: metricsServerLabels },
      template: {
        metadata: { labels: allLabels, annotations: notScraped },
        spec: {
          ...pod,
          automountServiceAccountToken: true,
          securityContext: podSecurity(1000, args),
          topologySpreadConstraints: topologySpread(
            { nodes: "preferred", zones: "none" },
            metricsServerLabels,
          ),
          containers: [container],
          volumes: [
            ...withBoundedScratch(pod.volumes, "64Mi"),
            { name: "tls", secret: { secretName, defaultMode: 0o440 } },
          ],
        },
      },
    },
  };
}

/** The parts of upstream's Pod that are kept and added to. */
interface UpstreamPod {
  readonly containers: readonly [
    { readonly args: string[]; readonly volumeMounts: input.core.v1.VolumeMount[] },
  ];
  readonly volumes: input.core.v1.Volume[];
}
