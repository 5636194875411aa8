import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ClusterError } from "./errors";
import { exec } from "./exec";
import type { Progress } from "./progress";

const goFolder = join(__dirname, "go");

/** A program that is built from the Go module registry at the version that a `go.mod` below `go/` pins. */
export interface GoProgram {
  readonly name: string;
  /** Folder of the `go.mod`. One that needs another Kubernetes version than the cluster's has its own. @default go */
  readonly module?: string;
  readonly package: string;
  readonly version: string;
  /** Go variables that upstream's own build stamps, by their full name. */
  readonly stamps?: Readonly<Record<string, string>>;
}

/** Programs whose sources lie below `go/`. */
const ownPackages = "technova.dev/cluster/";

const kubernetesVersion = "v1.34.3";

function kubernetes(name: string): GoProgram {
  const stamp = {
    gitVersion: kubernetesVersion,
    gitMajor: "1",
    gitMinor: "34",
    gitTreeState: "clean",
  };
  const packages = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];
  const stamps = Object.fromEntries(
    packages.flatMap((path) => Object.entries(stamp).map(([key, value]) => [`${path}.${key}`, value])),
  );
  return { name, package: `k8s.io/kubernetes/cmd/${name}`, version: kubernetesVersion, stamps };
}

const traefikVersion = "github.com/traefik/traefik/v3/pkg/version";

export const programs = {
  pause: { name: "pause", package: `${ownPackages}pause`, version: "3.10" },
  apiserver: kubernetes("kube-apiserver"),
  controllerManager: kubernetes("kube-controller-manager"),
  scheduler: kubernetes("kube-scheduler"),
  kubelet: kubernetes("kubelet"),
  kubeProxy: kubernetes("kube-proxy"),
  coredns: {
    name: "coredns",
    package: "github.com/coredns/coredns",
    version: "v1.14.1",
    stamps: { "github.com/coredns/coredns/coremain.GitCommit": "v1.14.1" },
  },
  localPathProvisioner: {
    name: "local-path-provisioner",
    package: "github.com/rancher/local-path-provisioner",
    version: "v0.0.30",
    stamps: { "main.VERSION": "v0.0.30" },
  },
  metricsServer: {
    name: "metrics-server",
    module: "metrics-server",
    package: "sigs.k8s.io/metrics-server/cmd/metrics-server",
    version: "v0.9.0",
    stamps: { "k8s.io/client-go/pkg/version.gitVersion": "v0.9.0" },
  },
  argoRollouts: {
    name: "rollouts-controller",
    module: "delivery",
    package: "github.com/argoproj/argo-rollouts/cmd/rollouts-controller",
    version: "v1.10.1",
    stamps: { "github.com/argoproj/argo-rollouts/utils/version.version": "v1.10.1" },
  },
  prometheus: {
    name: "prometheus",
    module: "delivery",
    package: "github.com/prometheus/prometheus/cmd/prometheus",
    version: "v3.9.1",
    stamps: { "github.com/prometheus/common/version.Version": "3.9.1" },
  },
  kubeRouter: {
    name: "kube-router",
    module: "network-policies",
    package: `${ownPackages}network-policies`,
    version: "v2.1.0",
  },
  traefik: {
    name: "traefik",
    package: "github.com/traefik/traefik/v3/cmd/traefik",
    version: "v3.6.12",
    stamps: { [`${traefikVersion}.Version`]: "v3.6.12", [`${traefikVersion}.Codename`]: "technova" },
  },
} as const satisfies Record<string, GoProgram>;

const prometheusVersion = "github.com/prometheus/common/version";
const lokiVersion = "github.com/grafana/loki/v3/pkg/util/build";

/** Programs of images that only some stacks need; each has a `go.mod` of its own. */
export const optionalPrograms = {
  alertmanager: {
    name: "alertmanager",
    module: "alertmanager",
    package: "github.com/prometheus/alertmanager/cmd/alertmanager",
    version: "v0.28.1",
    stamps: { [`${prometheusVersion}.Version`]: "0.28.1" },
  },
  loki: {
    name: "loki",
    module: "loki",
    package: "github.com/grafana/loki/v3/cmd/loki",
    version: "v3.7.8",
    stamps: { [`${lokiVersion}.Version`]: "3.7.8" },
  },
  promtail: {
    name: "promtail",
    module: "promtail",
    package: "github.com/grafana/loki/v3/clients/cmd/promtail",
    version: "v3.5.0",
    stamps: { [`${lokiVersion}.Version`]: "3.5.0" },
  },
  sealedSecrets: {
    name: "controller",
    module: "sealed-secrets",
    package: "github.com/bitnami/sealed-secrets/cmd/controller",
    version: "v0.40.0",
    stamps: { "main.VERSION": "0.40.0" },
  },
} as const satisfies Record<string, GoProgram>;

/** The value of `-ldflags`: no symbol tables, and upstream's stamps. */
export function linkerFlags(program: GoProgram): string {
  const stamps = Object.entries(program.stamps ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  return ["-s", "-w", ...stamps].join(" ");
}

/** Builds programs one after the other (each uses both cores) and keeps them by version. */
export class ProgramStore {
  private readonly built = new Map<string, Promise<string>>();
  private queue: Promise<unknown> = Promise.resolve();

  /** `progress` gets one stage for each program that has to be built. */
  constructor(
    private readonly cache: string,
    private readonly progress: Progress,
  ) {}

  /** Path of the program below the cache, whether it is built or not. */
  static location(program: GoProgram): string {
    return join(folderName(program), program.name);
  }

  /** Path of the program, built first if the cache lacks it. Builds run in the order they were asked for. */
  path(program: GoProgram): Promise<string> {
    const target = join(this.cache, ProgramStore.location(program));
    if (existsSync(target)) return Promise.resolve(target);
    let result = this.built.get(target);
    if (result === undefined) {
      const title = `${program.name} ${program.version}`;
      result = this.queue.then(() =>
        this.progress.stage(title, (report) => this.build(program, target, report)),
      );
      this.queue = result.catch(() => undefined);
      this.built.set(target, result);
    }
    return result;
  }

  private async build(program: GoProgram, target: string, report: (text: string) => void): Promise<string> {
    const compiling = `compiling ${program.name} ${program.version}`;
    report(compiling);
    const temporary = join(this.cache, `.${program.name}.${process.pid}.tmp`);
    mkdirSync(this.cache, { recursive: true });
    let compiled = 0;
    const args = [
      "build",
      "-v",
      "-mod=readonly",
      "-trimpath",
      "-buildvcs=false",
      "-ldflags",
      linkerFlags(program),
    ];
    try {
      await exec("nice", ["-n", "5", "go", ...args, "-o", temporary, program.package], {
        cwd: moduleFolder(program),
        env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
        onLine: (line) => {
          const downloading = /^go: downloading (.*)$/.exec(line)?.[1];
          if (downloading === undefined) compiled += 1;
          report(
            `${compiling}: ${downloading === undefined ? `${compiled} packages` : `downloading ${downloading}`}`,
          );
        },
      });
      mkdirSync(dirname(target), { recursive: true });
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      const message = error instanceof Error ? error.message : String(error);
      throw new ClusterError(
        `${program.name} ${program.version} did not build. It needs Go ${goVersion(program)} or newer on PATH and the Go ` +
          `module registry (GOPROXY).\n${withoutPackages(message)}`,
      );
    }
    return target;
  }
}

/** Without the packages that were compiled before the one that was not. */
function withoutPackages(output: string): string {
  return output
    .split("\n")
    .filter((line) => !/^[a-z0-9.-]+(\/\S+)*$/.test(line))
    .join("\n");
}

function moduleFolder(program: GoProgram): string {
  return join(goFolder, program.module ?? "");
}

/** The Go that a program's module asks for. */
function goVersion(program: GoProgram): string {
  const declared = readFileSync(join(moduleFolder(program), "go.mod"), "utf8");
  return /^go (\S+)$/m.exec(declared)?.[1] ?? "";
}

/** A change of any pinned dependency, or of its own sources, is another build of the same version. */
function folderName(program: GoProgram): string {
  const hash = createHash("sha256").update(linkerFlags(program));
  for (const file of sourcesOf(program)) hash.update(readFileSync(file));
  return `${program.name}@${program.version}-${hash.digest("hex").slice(0, 10)}`;
}

function sourcesOf(program: GoProgram): string[] {
  const pins = ["go.mod", "go.sum"].map((file) => join(moduleFolder(program), file));
  if (!program.package.startsWith(ownPackages)) return pins;
  const folder = join(goFolder, program.package.slice(ownPackages.length));
  const own = readdirSync(folder).filter((name) => name.endsWith(".go") && !name.endsWith("_test.go"));
  return [...own.sort().map((name) => join(folder, name)), ...(program.module === undefined ? [] : pins)];
}
