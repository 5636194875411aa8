import type { input } from "@pulumi/kubernetes/types";
import type { SnapshotSettings } from "../config/migration";

type StoreSettings = Extract<SnapshotSettings, { type: "s3" }>;

/** Where a Job has its snapshot, on the way to a store or for good. */
export const folderMount = { name: "snapshots", mountPath: "/snapshots" };
const credentialsMount = {
  name: "snapshot-credentials",
  mountPath: "/etc/snapshot/credentials",
  readOnly: true,
};

/** Port that the store is reached at. */
export function storePort({ endpoint }: StoreSettings): number {
  const { protocol, port } = new URL(endpoint ?? "https://s3.amazonaws.com");
  return port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
}

/** Keys of the store, for the steps that need them. */
export function credentialsMounts({ existingSecret }: StoreSettings) {
  return existingSecret === undefined ? [] : [credentialsMount];
}

/** The service's command that stores a snapshot, or gets it back. */
export function storeCommand(
  action: "upload" | "download",
  settings: StoreSettings,
  more: readonly string[],
): string[] {
  const { bucket, prefix, region, endpoint, existingSecret } = settings;
  return [
    ...["inventory", "snapshot", action, "--folder", folderMount.mountPath, "--bucket", bucket],
    ...["--region", region, ...more],
    ...(prefix === undefined ? [] : ["--prefix", prefix]),
    ...(endpoint === undefined ? [] : ["--endpoint", endpoint]),
    ...(existingSecret === undefined ? [] : ["--credentials", credentialsMount.mountPath]),
  ];
}

export function credentialsVolumes({ existingSecret }: StoreSettings): input.core.v1.Volume[] {
  if (existingSecret === undefined) return [];
  return [{ name: credentialsMount.name, secret: { secretName: existingSecret, defaultMode: 0o440 } }];
}
