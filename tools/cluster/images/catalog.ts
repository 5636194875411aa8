import { readFileSync } from "node:fs";
import { join } from "node:path";
import { images, type Image } from "../../../components/images";
import { optionalPrograms, programs, type GoProgram, type ProgramStore } from "../builds";
import { registryHost } from "../network";
import type { PackageStore } from "../packages";
import { certificateBundle, certificateSet } from "./certificates";
import { debianImages, type DebianImage } from "./debian";
import type { LayerEntry } from "./layer";
import type { ImageConfig } from "./layout";
import type { ImageRecipe } from "./store";

/** Images that the cluster itself runs on; the program's own are in `components/images.ts`. */
export const clusterImages = {
  pause: { registry: "registry.k8s.io", repository: "pause", version: programs.pause.version },
  coredns: { registry: "docker.io", repository: "coredns/coredns", version: "1.14.1" },
  localPathProvisioner: {
    registry: "docker.io",
    repository: "rancher/local-path-provisioner",
    version: programs.localPathProvisioner.version,
  },
  busybox: { registry: "docker.io", repository: "library/busybox", version: "1.35.0" },
} as const satisfies Record<string, Image>;

/** Where the registry keeps an upstream image. */
export function mirrorRepository(image: Image): string {
  return `${image.registry}/${image.repository}`;
}

/** Reference of an upstream image in the local registry. */
export function mirrorReference(image: Image): string {
  return `${registryHost}/${mirrorRepository(image)}:${image.version}`;
}

interface GoImage {
  readonly image: Image;
  readonly program: GoProgram;
  /** Path of the program in upstream's image. */
  readonly path: string;
  readonly config: ImageConfig;
}

const nonRoot = "65532:65532";

const baseGoImages = {
  pause: {
    image: clusterImages.pause,
    program: programs.pause,
    path: "pause",
    config: { entrypoint: ["/pause"], user: "65535:65535" },
  },
  coredns: {
    image: clusterImages.coredns,
    program: programs.coredns,
    path: "coredns",
    config: { entrypoint: ["/coredns"], user: nonRoot, exposedPorts: ["53/tcp", "53/udp"] },
  },
  localPathProvisioner: {
    image: clusterImages.localPathProvisioner,
    program: programs.localPathProvisioner,
    path: "usr/bin/local-path-provisioner",
    config: { cmd: ["local-path-provisioner"] },
  },
  metricsServer: {
    image: images.metricsServer,
    program: programs.metricsServer,
    path: "metrics-server",
    config: { entrypoint: ["/metrics-server"], user: "65534" },
  },
  argoRollouts: {
    image: images.argoRollouts,
    program: programs.argoRollouts,
    path: "bin/rollouts-controller",
    config: { entrypoint: ["/bin/rollouts-controller"], user: "999" },
  },
  prometheus: {
    image: images.prometheus,
    program: programs.prometheus,
    path: "bin/prometheus",
    config: {
      entrypoint: ["/bin/prometheus"],
      cmd: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
      user: "65534",
      exposedPorts: ["9090/tcp"],
    },
  },
  traefik: {
    image: images.traefik,
    program: programs.traefik,
    path: "usr/local/bin/traefik",
    config: { entrypoint: ["/usr/local/bin/traefik"], exposedPorts: ["80/tcp"] },
  },
} as const satisfies Record<string, GoImage>;

/** Images that only some stacks need; `optional.ts` says which. */
const optionalGoImages = {
  alertmanager: {
    image: images.alertmanager,
    program: optionalPrograms.alertmanager,
    path: "bin/alertmanager",
    config: { entrypoint: ["/bin/alertmanager"], user: "65534", exposedPorts: ["9093/tcp"] },
  },
  loki: {
    image: images.loki,
    program: optionalPrograms.loki,
    path: "usr/bin/loki",
    config: { entrypoint: ["/usr/bin/loki"], user: "10001", exposedPorts: ["3100/tcp"] },
  },
  promtail: {
    image: images.promtail,
    program: optionalPrograms.promtail,
    path: "usr/bin/promtail",
    config: { entrypoint: ["/usr/bin/promtail"] },
  },
  sealedSecrets: {
    image: images.sealedSecrets,
    program: optionalPrograms.sealedSecrets,
    path: "usr/local/bin/controller",
    config: {
      entrypoint: ["/usr/local/bin/controller"],
      user: "1001",
      exposedPorts: ["8080/tcp", "8081/tcp"],
    },
  },
} as const satisfies Record<string, GoImage>;

const goImages = { ...baseGoImages, ...optionalGoImages };

export type OptionalImageName = keyof typeof optionalGoImages;
export type GoImageName = keyof typeof goImages;
export type DebianImageName = keyof typeof debianImages;

type Report = (text: string) => void;

export interface Sources {
  readonly packages: PackageStore;
  readonly programs: ProgramStore;
}

/** A scratch image around a program, with the certificate authorities, two users and an empty /tmp. */
export async function goRecipe(name: GoImageName, sources: Sources): Promise<ImageRecipe> {
  const { image, program, path, config }: GoImage = goImages[name];
  const binary = await sources.programs.path(program);
  return {
    repository: mirrorRepository(image),
    tag: image.version,
    key: `${binary.split("/").at(-2)} ${path}`,
    config: { ...config, labels: labels(image) },
    entries: async (report) => {
      const certificates = await sources.packages.unpack(certificateSet, report);
      return [
        ...scratchBase(certificateBundle(certificates)),
        { path, type: "copy", mode: 0o755, source: binary },
      ];
    },
  };
}

/** An image out of Debian's packages. */
export async function debianRecipe(
  name: DebianImageName,
  sources: Pick<Sources, "packages">,
  report: Report,
): Promise<ImageRecipe> {
  const { image, packages, config, entries, key, content }: DebianImage = debianImages[name];
  const folder = await sources.packages.unpack(packages, report);
  return {
    repository: mirrorRepository(image),
    tag: image.version,
    key: `${folder.split("/").at(-1)} ${key}`,
    config: { ...config, labels: { ...labels(image), ...contentLabels(folder, content) } },
    entries: (reportEntries) => entries(folder, reportEntries),
  };
}

function labels(image: Image): Record<string, string> {
  return {
    "org.opencontainers.image.title": image.repository,
    "org.opencontainers.image.version": image.version,
  };
}

/** What is really inside: Debian's version moves on, the tag stands for upstream's of the same major version. */
function contentLabels(folder: string, name: string): Record<string, string> {
  const line = readFileSync(join(folder, ".packages"), "utf8")
    .split("\n")
    .find((item) => item.startsWith(`${name} `));
  return line === undefined ? {} : { "technova.dev/debian-package": line };
}

function scratchBase(certificates: string): LayerEntry[] {
  const users = [
    "root:x:0:0:root:/:/sbin/nologin",
    "nobody:x:65534:65534::/:/sbin/nologin",
    "nonroot:x:65532:65532::/:/sbin/nologin",
  ];
  const groups = ["root:x:0:", "nobody:x:65534:", "nonroot:x:65532:"];
  return [
    { path: "etc", type: "directory" },
    { path: "etc/passwd", type: "file", content: `${users.join("\n")}\n` },
    { path: "etc/group", type: "file", content: `${groups.join("\n")}\n` },
    { path: "etc/ssl", type: "directory" },
    { path: "etc/ssl/certs", type: "directory" },
    { path: "etc/ssl/certs/ca-certificates.crt", type: "file", content: certificates },
    { path: "tmp", type: "directory", mode: 0o1777 },
  ];
}
