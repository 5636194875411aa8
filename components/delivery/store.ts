import type { input } from "@pulumi/kubernetes/types";
import type { StoreSettings } from "../config/store";

/** Where a Job has its snapshot, on the way to a store or for good. */
export const folderMount = { name: "snapshots", mountPath: "/snapshots" };

/** Port that the store is reached at. */
export function storePort({ endpoint }: Pick<StoreSettings, "endpoint">): number {
  const { protocol, port } = new URL(endpoint ?? "https://s3.amazonaws.com");
  return port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
}

/** How a Pod shows a store who it is; `use` tells the volumes of two stores apart. */
export class StoreAccess {
  private readonly mount: input.core.v1.VolumeMount & { name: string; mountPath: string };

  constructor(
    private readonly settings: StoreSettings,
    use: string,
  ) {
    this.mount = { name: `${use}-credentials`, mountPath: `/etc/${use}/credentials`, readOnly: true };
  }

  /** What the service's commands are told of the store. */
  get options(): string[] {
    const { bucket, prefix, region, endpoint, existingSecret } = this.settings;
    return [
      ...["--bucket", bucket, "--region", region],
      ...(prefix === undefined ? [] : ["--prefix", prefix]),
      ...(endpoint === undefined ? [] : ["--endpoint", endpoint]),
      ...(existingSecret === undefined ? [] : ["--credentials", this.mount.mountPath]),
    ];
  }

  /** Keys of the store, for the steps that need them. */
  get mounts(): input.core.v1.VolumeMount[] {
    return this.settings.existingSecret === undefined ? [] : [this.mount];
  }

  get volumes(): input.core.v1.Volume[] {
    const { existingSecret } = this.settings;
    if (existingSecret === undefined) return [];
    return [{ name: this.mount.name, secret: { secretName: existingSecret, defaultMode: 0o440 } }];
  }
}
