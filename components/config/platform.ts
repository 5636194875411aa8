import { z } from "zod";
import type { ImageName } from "../images";
import { accessSchema } from "./access";
import { choice, listOf, section } from "./field";
import {
  cidrs,
  cpu,
  digest,
  dnsLabel,
  flag,
  memory,
  nodePort,
  resources,
  spread,
  storage,
  strings,
  text,
  wholeNumber,
  word,
} from "./values";

/** Host and port of a registry, as it stands in an image reference. */
const registryHost = () =>
  text(
    'a registry\'s host such as "ghcr.io" or "localhost:5050", without "https://"',
    /^(?=[a-z0-9.-]*[.:]|localhost$)[a-z0-9.-]*[a-z0-9](:\d{1,5})?$/,
  );

/** `technova:images`: where upstream images come from. */
export const imagesSchema = section({
  mirror: text(
    'a prefix such as "localhost:5050" or "registry.example.com/mirror", without "https://" and final slash',
    /^[a-z0-9.-]+(:\d{1,5})?(\/[a-z0-9]+([._-][a-z0-9]+)*)*$/,
  ).optional(),
  /** Digests of the images as they are served there. */
  digests: section({
    traefik: digest().optional(),
    metricsServer: digest().optional(),
    postgres: digest().optional(),
    argoRollouts: digest().optional(),
    prometheus: digest().optional(),
    alertmanager: digest().optional(),
    loki: digest().optional(),
    promtail: digest().optional(),
    falco: digest().optional(),
    sealedSecrets: digest().optional(),
    velero: digest().optional(),
    veleroPluginForAws: digest().optional(),
    python: digest().optional(),
  } satisfies Record<ImageName, z.ZodType>).prefault({}),
});

/** `technova:registry`: the registry of the application's own image. */
export const registrySchema = section({
  server: registryHost(),
  /** With it, `technova:secrets.registryPassword` is needed, and Pods get a pull secret. */
  username: text("a user name without spaces", /^\S+$/).optional(),
});

const quota = (defaults: { cpu: string; memory: string; pods: number; storage?: string }) =>
  section({
    /** Sum of all CPU limits. */
    cpu: cpu(4096).default(defaults.cpu),
    /** Sum of all memory limits. */
    memory: memory().default(defaults.memory),
    pods: wholeNumber(1, 10_000).default(defaults.pods),
    /** Sum of all requested volumes; none where it is left out. */
    storage: (defaults.storage === undefined ? storage() : storage().default(defaults.storage)).optional(),
  }).prefault({});

/** Private address ranges: where API servers and nodes are, unless the stack knows better. */
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** `technova:cluster`: what every namespace of the platform gets. */
export const clusterSchema = section({
  network: section({
    /** Addresses of the API server, as Pods' packets have them once the Service address is translated. */
    apiServerCidrs: cidrs().default(privateRanges),
    /** Addresses of the nodes, for the kubelets' metrics. */
    nodeCidrs: cidrs().default(privateRanges),
  }).prefault({}),
  /** Whether Pods name the runtime's AppArmor profile; nodes whose kernel has no AppArmor refuse those that do. */
  appArmor: flag().default(true),
  /** What the API server refuses, whoever asks: the policy pack's rules about Pods. */
  admission: section({
    enabled: flag().default(true),
    /** `platform`: in its own namespaces; `cluster`: in all but the exempt ones. */
    scope: word("platform", "cluster").default("platform"),
    exemptNamespaces: listOf("a list of namespaces", dnsLabel()).default([
      "kube-system",
      "kube-public",
      "kube-node-lease",
    ]),
    /** `audit` refuses nothing: it warns whoever asks, and writes into the audit log. */
    action: word("deny", "audit").default("deny"),
  }).prefault({}),
  quotas: section({
    gateway: quota({ cpu: "8", memory: "4Gi", pods: 20 }),
    inventory: quota({ cpu: "32", memory: "32Gi", pods: 100, storage: "100Gi" }),
    delivery: quota({ cpu: "4", memory: "4Gi", pods: 10 }),
    monitoring: quota({ cpu: "8", memory: "16Gi", pods: 20, storage: "500Gi" }),
    /** Enough for a Pod on each of 100 nodes. */
    logging: quota({ cpu: "50", memory: "25Gi", pods: 100 }),
    /** Enough for a Pod on each of 50 nodes. */
    falco: quota({ cpu: "64", memory: "64Gi", pods: 100 }),
    sealing: quota({ cpu: "4", memory: "2Gi", pods: 5 }),
    /** Enough for an agent on each of 50 nodes, and for Pods that copy volumes. */
    backup: quota({ cpu: "64", memory: "64Gi", pods: 150 }),
  }).prefault({}),
  access: accessSchema.prefault({}),
});

const service = choice("type", [
  section({ type: z.literal("NodePort"), httpPort: nodePort(), httpsPort: nodePort() }),
  section({ type: z.literal("ClusterIP") }),
  section({
    type: z.literal("LoadBalancer"),
    /** What the cloud's controller wants to know. */
    annotations: strings("an object of strings").default({}),
    /** Clients that are let in; everyone if left out. */
    sourceRanges: cidrs().optional(),
  }),
]);

const tls = choice("mode", [
  section({
    mode: z.literal("selfSigned"),
    /** How long a certificate is valid; it is made anew 30 days before its end. */
    validityDays: wholeNumber(60, 825).default(365),
  }),
  section({ mode: z.literal("provided") }),
  section({ mode: z.literal("existingSecret"), secretName: dnsLabel() }),
]);

/** `technova:gateway`: Traefik and how it is reached. */
export const gatewaySchema = section({
  service,
  tls,
  minimumTlsVersion: word("1.2", "1.3").default("1.2"),
  replicas: wholeNumber(1, 50).default(2),
  resources: resources().default({
    requests: { cpu: "100m", memory: "96Mi" },
    limits: { cpu: "1", memory: "256Mi" },
  }),
  spread: spread().prefault({}),
  /** Proxies in front whose `X-Forwarded-*` headers are believed. */
  trustedProxies: cidrs().optional(),
}).superRefine(({ service: exposed }, context) => {
  if (exposed.type === "NodePort" && exposed.httpPort === exposed.httpsPort) {
    context.addIssue({
      code: "custom",
      path: ["service", "httpsPort"],
      message: `another port than httpPort, which is ${exposed.httpPort}`,
    });
  }
});

/** `technova:metricsServer`: figures for the autoscaler, where the cluster does not bring them. */
export const metricsServerSchema = section({
  enabled: flag().default(true),
  replicas: wholeNumber(1, 5).default(1),
  /** `clusterCa` takes kubelet certificates that the cluster's authority signed; `insecure` takes any. */
  kubeletCertificates: word("clusterCa", "insecure").default("clusterCa"),
});

/** `technova:argoRollouts`: the controller that drives releases; switched off where the cluster has one already. */
export const argoRolloutsSchema = section({
  enabled: flag().default(true),
  /** One leads, the others stand by. */
  replicas: wholeNumber(1, 5).default(2),
  resources: resources().default({
    requests: { cpu: "50m", memory: "96Mi" },
    limits: { cpu: "500m", memory: "256Mi" },
  }),
});

export type ImagesSettings = z.infer<typeof imagesSchema>;
export type RegistrySettings = z.infer<typeof registrySchema>;
export type ClusterSettings = z.infer<typeof clusterSchema>;
export type QuotaSettings = ClusterSettings["quotas"]["gateway"];
export type GatewaySettings = z.infer<typeof gatewaySchema>;
export type ArgoRolloutsSettings = z.infer<typeof argoRolloutsSchema>;
export type MetricsServerSettings = z.infer<typeof metricsServerSchema>;
