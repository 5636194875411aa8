import { Annotations, isOn } from "../annotations";
import { annotation, apiVersionOf, groupOf, kindOf, type KubeObject } from "../object";
import {
  apiService,
  customResourceDefinition,
  namespace,
  replicationController,
  resourceQuota,
  secret,
} from "./cluster-objects";
import { daemonSet } from "./daemon-set";
import { deployment } from "./deployment";
import { ingress } from "./ingress";
import { job } from "./job";
import { pod } from "./pod";
import { service } from "./service";
import { statefulSet } from "./stateful-set";
import type { Readiness } from "./verdict";
import { persistentVolume, persistentVolumeClaim } from "./volumes";
import { parseWaitFor } from "./wait-for";

const BY_KIND: Record<string, Readiness> = {
  "/Namespace": namespace,
  "/PersistentVolume": persistentVolume,
  "/PersistentVolumeClaim": persistentVolumeClaim,
  "/Pod": pod,
  "/ReplicationController": replicationController,
  "/ResourceQuota": resourceQuota,
  "/Secret": secret,
  "/Service": service,
  "apiextensions.k8s.io/CustomResourceDefinition": customResourceDefinition,
  "apiregistration.k8s.io/APIService": apiService,
  "apps/DaemonSet": daemonSet,
  "apps/Deployment": deployment,
  "apps/StatefulSet": statefulSet,
  "batch/Job": job,
  "networking.k8s.io/Ingress": ingress,
};

/** What an object has to be waited for, or `undefined` when it is ready as soon as it exists. */
export function readinessOf(inputs: KubeObject): Readiness | undefined {
  if (isOn(inputs, Annotations.skipAwait)) return undefined;
  const own = annotation(inputs, Annotations.waitFor);
  if (own) return parseWaitFor(own);
  return BY_KIND[`${groupOf(apiVersionOf(inputs))}/${kindOf(inputs)}`];
}
