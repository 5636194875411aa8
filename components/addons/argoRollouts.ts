import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import { Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { ArgoRolloutsSettings } from "../config/platform";
import { imageReference, images, type ImageSource } from "../images";
import { labels, platformLabels, selectorLabels, type Identity } from "../labels";
import { UpstreamManifest, type ManifestObject } from "../manifest";
import { scrapeAnnotations } from "../monitoring/scraping";
import {
  containerSecurity,
  podSecurity,
  type PodSecurityArgs,
  resourceRequirements,
  topologySpread,
  withBoundedScratch,
} from "../security";

export const argoRolloutsIdentity: Identity = { name: "argo-rollouts", component: "rollouts-controller" };
export const argoRolloutsPorts = { metrics: 8090, healthz: 8080 } as const;

export interface ArgoRolloutsArgs extends PodSecurityArgs {
  readonly settings: ArgoRolloutsSettings;
  readonly images: ImageSource;
  /** Namespace that the controller runs in. */
  readonly namespace: pulumi.Input<string>;
  /** Name of the one namespace whose Rollouts it drives. */
  readonly released: string;
  readonly priorityClassName: pulumi.Input<string>;
}

/**
 * The controller that drives releases. Upstream's objects, with rights in one namespace where upstream takes them in
 * all, and without those for service meshes and load balancers that the platform does not have.
 */
export class ArgoRollouts extends pulumi.ComponentResource {
  /** The CRDs of what releases are made of. */
  readonly definitions: readonly pulumi.Resource[];

  constructor(name: string, args: ArgoRolloutsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:ArgoRollouts", name, {}, opts);
    const parent = { parent: this };
    const { namespace, released } = args;
    const metadata = { namespace, labels: labels(argoRolloutsIdentity) };
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      parent,
    );
    const serviceAccount = account.metadata.name;
    const own = new Role(`${name}-own-role`, { metadata, rules: ownRules }, parent);
    const bind = (role: string, where: pulumi.Input<string>, roleName: pulumi.Input<string>) =>
      new RoleBinding(
        `${name}-${role}-binding`,
        {
          metadata: { ...metadata, namespace: where },
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: roleName },
          subjects: [{ kind: "ServiceAccount", name: serviceAccount, namespace }],
        },
        parent,
      );
    const access = [bind("own", namespace, own.metadata.name), bind("released", released, releasedRole)];
    const manifest = new UpstreamManifest(
      `${name}-manifest`,
      {
        manifest: "argo-rollouts",
        patches: [
          withPlatformLabels,
          withOpaquePods,
          (object) => withRightsIn(object, released),
          (object) => withHardenedDeployment(object, args, serviceAccount),
        ],
      },
      { ...parent, dependsOn: access },
    );
    this.definitions = manifest.definitions;
    if (args.settings.replicas > 1) {
      new PodDisruptionBudget(
        `${name}-budget`,
        {
          metadata,
          spec: {
            maxUnavailable: 1,
            selector: { matchLabels: selectorLabels(argoRolloutsIdentity) },
          },
        },
        parent,
      );
    }
    this.registerOutputs();
  }
}

/** Upstream's name of the role. */
const releasedRole = "argo-rollouts";

/**
 * In its own namespace: which of its Pods leads, its plugins, and settings for notifications, of which there are none.
 * The controller waits until it has listed the latter, by a field selector on their names: for such a request the API
 * server takes the name into account, so that rights on the one object are enough.
 */
const ownRules: input.rbac.v1.PolicyRule[] = [
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create", "get", "update"] },
  { apiGroups: [""], resources: ["configmaps"], resourceNames: ["argo-rollouts-config"], verbs: ["get"] },
  watched("configmaps", "argo-rollouts-notification-configmap"),
  watched("secrets", "argo-rollouts-notification-secret"),
  { apiGroups: [""], resources: ["events"], verbs: ["create", "patch", "update"] },
];

function watched(resource: string, name: string): input.rbac.v1.PolicyRule {
  return { apiGroups: [""], resources: [resource], resourceNames: [name], verbs: ["list", "watch"] };
}

/** Groups of upstream's role that the platform has a use for. */
const usedGroups = new Set(["", "apps", "argoproj.io", "batch", "networking.k8s.io", "traefik.io"]);
/** Nothing here is exposed through an Ingress or released as a Deployment; the controller insists on watching them. */
const watchedResources = new Set(["ingresses", "deployments", "podtemplates"]);
const unusedResources = new Set(["secrets", "endpoints", "pods/eviction"]);

function withPlatformLabels(object: ManifestObject): ManifestObject {
  const { labels: upstream = {} } = object.metadata as { labels?: Record<string, string> };
  return { ...object, metadata: { ...object.metadata, labels: { ...upstream, ...platformLabels } } };
}

/**
 * Definitions but the Rollout's without the schema of the Pods in them, which is most of each and of which the API
 * server judges every one once it is made.
 */
export function withOpaquePods(object: ManifestObject): ManifestObject {
  const judged =
    object.kind !== "CustomResourceDefinition" || object.metadata.name === "rollouts.argoproj.io";
  return judged ? object : opaquePods(object);
}

function opaquePods<T>(value: T): T {
  if (Array.isArray(value)) return value.map(opaquePods) as T;
  if (typeof value !== "object" || value === null) return value;
  const { properties } = value as { properties?: object };
  if (properties !== undefined && "containers" in properties && "volumes" in properties) {
    return { type: "object", "x-kubernetes-preserve-unknown-fields": true } as T;
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, opaquePods(each)])) as T;
}

/** Upstream's rights, in one namespace, for the kinds that are there. */
export function withRightsIn(object: ManifestObject, namespace: string): ManifestObject {
  if (object.kind !== "ClusterRole") return object;
  const rules = (object.rules as Rule[]).flatMap((rule) => {
    const apiGroups = rule.apiGroups.filter((group) => usedGroups.has(group));
    const resources = rule.resources.filter((resource) => !unusedResources.has(resource));
    const verbs = resources.some((resource) => watchedResources.has(resource))
      ? rule.verbs.filter((verb) => ["get", "list", "watch"].includes(verb))
      : rule.verbs;
    return apiGroups.length > 0 && resources.length > 0 ? [{ ...rule, apiGroups, resources, verbs }] : [];
  });
  return { ...object, kind: "Role", metadata: { ...object.metadata, namespace }, rules };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Pinned image, one namespace, limits, spread and the platform's security defaults. */
export function withHardenedDeployment(
  object: ManifestObject,
  args: ArgoRolloutsArgs,
  serviceAccountName: pulumi.Input<string>,
): ManifestObject {
  if (object.kind !== "Deployment") return object;
  const { settings } = args;
  const spec = object.spec as input.apps.v1.DeploymentSpec & { template: { spec: UpstreamPod } };
  const pod = spec.template.spec;
  const [upstream] = pod.containers;
  const matchLabels = selectorLabels(argoRolloutsIdentity);
  const podLabels = labels(argoRolloutsIdentity, images.argoRollouts.version);
  const container: input.core.v1.Container = {
    ...upstream,
    name: "argo-rollouts",
    image: imageReference("argoRollouts", args.images),
    imagePullPolicy: "IfNotPresent",
    args: ["--namespaced", `--namespace=${args.released}`, "--loglevel=info", "--logformat=json"],
    env: [{ name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } }],
    readinessProbe: {
      httpGet: { path: "/healthz", port: "healthz" },
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 3,
    },
    resources: resourceRequirements(settings.resources),
    securityContext: containerSecurity,
  };
  return {
    ...object,
    metadata: { ...object.metadata, namespace: args.namespace },
    spec: {
      ...spec,
      replicas: settings.replicas,
      revisionHistoryLimit: 0,
      selector: { matchLabels },
      template: {
        metadata: {
          labels: podLabels,
          annotations: scrapeAnnotations(argoRolloutsPorts.metrics),
        },
        spec: {
          ...pod,
          serviceAccountName,
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          priorityClassName: args.priorityClassName,
          securityContext: podSecurity(999, args),
          topologySpreadConstraints: topologySpread({ nodes: "preferred", zones: "none" }, matchLabels),
          containers: [container],
          volumes: withBoundedScratch(pod.volumes, "64Mi"),
        },
      },
    },
  };
}

/** The part of upstream's Pod that is kept and added to. */
interface UpstreamPod {
  readonly containers: readonly [input.core.v1.Container];
  readonly volumes: readonly input.core.v1.Volume[];
}
