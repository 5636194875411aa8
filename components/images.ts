/**
 * Every upstream image that the platform deploys or builds on. Plain data: tools that fill a mirror read it
 * without loading Pulumi.
 */
export interface Image {
  /** Host of the upstream registry, such as `docker.io`. */
  readonly registry: string;
  /** Repository in that registry, such as `library/traefik`. */
  readonly repository: string;
  /** Upstream's tag. Never `latest`: a tag that moves cannot be rolled back to. */
  readonly version: string;
  /** `sha256:...` of the image index. A stack's own `images.digests` wins: a mirror may have built its own. */
  readonly digest?: string;
}

export const images = {
  /** The gateway. */
  traefik: { registry: "docker.io", repository: "library/traefik", version: "v3.6.12" },
  /** CPU and memory figures for the autoscaler. */
  metricsServer: {
    registry: "registry.k8s.io",
    repository: "metrics-server/metrics-server",
    version: "v0.9.0",
  },
  /**
   * The database in the cluster. Runs as 999:999 with upstream's entry point, of which POSTGRES_PASSWORD_FILE, PGDATA
   * and the scripts in /docker-entrypoint-initdb.d are used, and stops at SIGINT.
   */
  postgres: { registry: "docker.io", repository: "library/postgres", version: "15.18-bookworm" },
  /** Drives releases of the application. */
  argoRollouts: { registry: "quay.io", repository: "argoproj/argo-rollouts", version: "v1.10.1" },
  /** Answers the questions that decide over a release. */
  prometheus: { registry: "quay.io", repository: "prometheus/prometheus", version: "v3.9.1" },
  /** Tells people what Prometheus finds wrong. */
  alertmanager: { registry: "quay.io", repository: "prometheus/alertmanager", version: "v0.28.1" },
  /** Keeps the logs. */
  loki: { registry: "docker.io", repository: "grafana/loki", version: "3.7.8" },
  /** Collects the logs of a node. */
  promtail: { registry: "docker.io", repository: "grafana/promtail", version: "3.5.0" },
  /** Watches what the kernel does for the containers of a node. */
  falco: {
    registry: "docker.io",
    repository: "falcosecurity/falco",
    version: "0.44.1",
    // As Docker Hub serves the index of all platforms.
    digest: "sha256:d0cfe422d6ac0e0f20857798f46c7d7273210e1b064b22821e4e6e7f843cde6b",
  },
  /** Makes Secrets of those that are sealed. */
  sealedSecrets: {
    registry: "docker.io",
    repository: "bitnami/sealed-secrets-controller",
    version: "0.40.0",
  },
  /** Keeps the cluster's objects and volumes in a bucket. */
  velero: { registry: "docker.io", repository: "velero/velero", version: "v1.18.3" },
  /** Its way to stores that speak like Amazon S3. */
  veleroPluginForAws: {
    registry: "docker.io",
    repository: "velero/velero-plugin-for-aws",
    version: "v1.14.3",
  },
  /** What the application's image is built from, and what the platform's own scripts run in. */
  python: { registry: "docker.io", repository: "library/python", version: "3.11-slim-bookworm" },
} as const satisfies Record<string, Image>;

export type ImageName = keyof typeof images;

export interface ImageSource {
  /**
   * Prefix under which every upstream image is found, as `<mirror>/<registry>/<repository>`.
   * @default the upstream registries themselves
   */
  readonly mirror?: string;
  /**
   * Digest of each image as the mirror (or upstream) serves it.
   * @default the version's tag decides
   */
  readonly digests?: Partial<Record<ImageName, string>>;
}

/** The reference to write into a container: mirrored, with the version and, where one is known, the digest. */
export function imageReference(name: ImageName, source: ImageSource = {}): string {
  const image: Image = images[name];
  const digest = source.digests?.[name] ?? image.digest;
  const prefix = source.mirror === undefined ? "" : `${source.mirror}/`;
  const reference = `${prefix}${image.registry}/${image.repository}:${image.version}`;
  return digest === undefined ? reference : `${reference}@${digest}`;
}

/** Where the upstream images come from: the mirror, or each one's own repository. */
export function imageRepositories({ mirror }: ImageSource): readonly string[] {
  if (mirror !== undefined) return [mirror];
  return Object.values(images).map(({ registry, repository }) => `${registry}/${repository}`);
}
