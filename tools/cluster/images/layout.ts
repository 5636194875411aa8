import { createHash } from "node:crypto";

/** A blob of an image: where its bytes are, and what they are. */
export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** File that holds the bytes. */
  readonly path: string;
}

/** What a container of the image runs as; names as in the OCI image specification. */
export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** `user` or `uid:gid`. @default root */
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly exposedPorts?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stopSignal?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export const mediaTypes = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  /** Uncompressed: the registry is on the same machine, and compression is what makes layers differ. */
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** `sha256:...` of some bytes. */
export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The image's configuration, byte for byte the same for the same input: it knows no time. */
export function configBytes(config: ImageConfig, layerDigests: readonly string[]): Buffer {
  const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...config.env };
  const toSet = (items: readonly string[] | undefined) =>
    items === undefined ? undefined : Object.fromEntries(items.map((item) => [item, {}]));
  return Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: {
        User: config.user,
        ExposedPorts: toSet(config.exposedPorts),
        Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        Entrypoint: config.entrypoint,
        Cmd: config.cmd,
        Volumes: toSet(config.volumes),
        WorkingDir: config.workingDir ?? "/",
        StopSignal: config.stopSignal,
        Labels: config.labels,
      },
      rootfs: { type: "layers", diff_ids: layerDigests },
      history: layerDigests.map(() => ({ created: "1970-01-01T00:00:00Z" })),
    }),
  );
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export function manifestBytes(config: Descriptor, layers: readonly Descriptor[]): Buffer {
  const pick = ({ mediaType, digest, size }: Descriptor) => ({ mediaType, digest, size });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: pick(config),
      layers: layers.map(pick),
    }),
  );
}
