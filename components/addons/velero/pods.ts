import type { input } from "@pulumi/kubernetes/types";
import type { VeleroSettings } from "../../config/velero";
import { temporaryMount, temporaryVolume } from "../../security";

/** Where caches and the settings of a store are written. */
const scratchPath = "/scratch";

/** What every program of Velero's is told; the Pods that they make inherit it. */
export function environment({ existingSecret }: VeleroSettings["store"]): input.core.v1.EnvVar[] {
  const key = (name: string, secretKey: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: existingSecret ?? "", key: secretKey } },
  });
  return [
    { name: "VELERO_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
    { name: "VELERO_SCRATCH_DIR", value: scratchPath },
    // The root file system is read-only.
    { name: "HOME", value: scratchPath },
    // It takes keys from a file of Amazon's form or from here.
    ...(existingSecret === undefined
      ? []
      : [key("AWS_ACCESS_KEY_ID", "access_key_id"), key("AWS_SECRET_ACCESS_KEY", "secret_access_key")]),
  ];
}

export const scratchMounts: input.core.v1.VolumeMount[] = [
  temporaryMount,
  { name: "scratch", mountPath: scratchPath },
];

/** @param sizeLimit room for the objects of the cluster, or for the cache of a volume's copy */
export function scratchVolumes(sizeLimit: string): input.core.v1.Volume[] {
  return [temporaryVolume(sizeLimit), { name: "scratch", emptyDir: { sizeLimit } }];
}
