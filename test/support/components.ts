import type { Settings } from "../../components/config";
import { goodConfig, load } from "./settings";
import type { JsonObject } from "./mocks";

/** Settings in which everything optional is there, with changes to single sections; each call makes new ones. */
export function settingsWith(changes: Readonly<Record<string, JsonObject>> = {}): Promise<Settings> {
  const config = goodConfig();
  for (const [key, change] of Object.entries(changes)) {
    config[`technova:${key}`] = { ...config[`technova:${key}`], ...change };
  }
  return load(config);
}

/** Types of resources as the SDK has them. */
export const types = {
  configMap: "kubernetes:core/v1:ConfigMap",
  deployment: "kubernetes:apps/v1:Deployment",
  rollout: "kubernetes:argoproj.io/v1alpha1:Rollout",
  analysisTemplate: "kubernetes:argoproj.io/v1alpha1:AnalysisTemplate",
  statefulSet: "kubernetes:apps/v1:StatefulSet",
  job: "kubernetes:batch/v1:Job",
  cronJob: "kubernetes:batch/v1:CronJob",
  secret: "kubernetes:core/v1:Secret",
  configMapPatch: "kubernetes:core/v1:ConfigMapPatch",
  secretPatch: "kubernetes:core/v1:SecretPatch",
  service: "kubernetes:core/v1:Service",
  serviceAccount: "kubernetes:core/v1:ServiceAccount",
  namespace: "kubernetes:core/v1:Namespace",
  networkPolicy: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
  quota: "kubernetes:core/v1:ResourceQuota",
  limitRange: "kubernetes:core/v1:LimitRange",
  autoscaler: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
  budget: "kubernetes:policy/v1:PodDisruptionBudget",
  httpRoute: "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
  gateway: "kubernetes:gateway.networking.k8s.io/v1:Gateway",
  role: "kubernetes:rbac.authorization.k8s.io/v1:Role",
  clusterRole: "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
  apiService: "kubernetes:apiregistration.k8s.io/v1:APIService",
  definition: "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
  image: "docker:index/image:Image",
  password: "random:index/randomPassword:RandomPassword",
} as const;

/** A value deep inside of inputs; fails where a step does not exist. */
export function at(inputs: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null || !(key in value)) {
      throw new Error(`there is no ${key} of ${path.join(".")} in ${JSON.stringify(value)}`);
    }
    return (value as Record<string | number, unknown>)[key];
  }, inputs);
}
