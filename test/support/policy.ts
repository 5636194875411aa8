import { unknownCheckingProxy } from "@pulumi/policy";
import { unknownValue } from "@pulumi/pulumi/runtime/rpc";
import { Exceptions, type Exception } from "../../policy/frame/exceptions";
import type { Judge, Policy } from "../../policy/frame/policy";
import type { ReportedFinding, Run } from "../../policy/frame/run";
import { judgeResource, judgeStack } from "../../policy/frame/evaluate";

/** Helpers for policy tests: start from an object that every policy accepts and change one field. */

export type Path = readonly (string | number)[];

/** Put in place of a value, it is what the engine hands policies for a value that only the update will tell. */
export const unknown: string = unknownValue;

/** Resource types by kind, of every kind that can hold a pod. */
export const podTypes = {
  Pod: "kubernetes:core/v1:Pod",
  PodTemplate: "kubernetes:core/v1:PodTemplate",
  Deployment: "kubernetes:apps/v1:Deployment",
  StatefulSet: "kubernetes:apps/v1:StatefulSet",
  DaemonSet: "kubernetes:apps/v1:DaemonSet",
  ReplicaSet: "kubernetes:apps/v1:ReplicaSet",
  ReplicationController: "kubernetes:core/v1:ReplicationController",
  Job: "kubernetes:batch/v1:Job",
  CronJob: "kubernetes:batch/v1:CronJob",
  Rollout: "kubernetes:argoproj.io/v1alpha1:Rollout",
  ScaledJob: "kubernetes:keda.sh/v1alpha1:ScaledJob",
  AnalysisTemplate: "kubernetes:argoproj.io/v1alpha1:AnalysisTemplate",
  ClusterAnalysisTemplate: "kubernetes:argoproj.io/v1alpha1:ClusterAnalysisTemplate",
  AnalysisRun: "kubernetes:argoproj.io/v1alpha1:AnalysisRun",
  Experiment: "kubernetes:argoproj.io/v1alpha1:Experiment",
} as const;

const measured: Path = ["spec", "metrics", 0, "provider", "job", "spec", "template"];

/** Where each kind keeps its pod template. */
export const templatePath = (kind: string): Path =>
  ({
    Pod: [],
    PodTemplate: ["template"],
    CronJob: ["spec", "jobTemplate", "spec", "template"],
    ScaledJob: ["spec", "jobTargetRef", "template"],
    AnalysisTemplate: measured,
    ClusterAnalysisTemplate: measured,
    AnalysisRun: measured,
    Experiment: ["spec", "templates", 0, "template"],
  })[kind] ?? ["spec", "template"];

export function goodContainer(): object {
  return {
    name: "app",
    image: `registry.example/team/shop@sha256:${"0123456789abcdef".repeat(4)}`,
    env: [{ name: "INVENTORY_LOG_LEVEL", value: "info" }],
    args: ["serve"],
    ports: [{ name: "http", containerPort: 8080 }],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "1", memory: "128Mi" } },
    readinessProbe: { httpGet: { path: "/readyz", port: "http" } },
    livenessProbe: { httpGet: { path: "/healthz", port: "http" } },
    securityContext: {
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

export function goodPod(): object {
  return {
    metadata: {
      name: "inventory",
      namespace: "inventory",
      labels: { app: "inventory" },
      annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8080" },
    },
    spec: {
      automountServiceAccountToken: false,
      priorityClassName: "application",
      containers: [goodContainer()],
      volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
    },
  };
}

/** The pod inside an object of that kind. */
export function holding(kind: string, pod: object): object {
  const path = templatePath(kind);
  const metadata = { name: "inventory", namespace: "inventory" };
  return path.length === 0 ? pod : changed({ metadata }, path, pod);
}

/** A copy with one value set, or removed when it is `undefined`. Missing parents are made. */
export function changed(object: object, path: Path, value: unknown): object {
  const [key, ...rest] = path;
  if (key === undefined) return value as object;
  const copy = Array.isArray(object) ? [...object] : { ...object };
  const slots = copy as Record<string | number, unknown>;
  const missing = typeof rest[0] === "number" ? [] : {};
  if (rest.length > 0) slots[key] = changed((slots[key] ?? missing) as object, rest, value);
  else if (value === undefined) Reflect.deleteProperty(slots, key);
  else slots[key] = value;
  return copy;
}

/** As a message writes it. */
export function written(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (/[^A-Za-z0-9_-]/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

export interface Outcome {
  readonly violations: readonly string[];
  readonly undecided: readonly string[];
}

const nothing: Outcome = { violations: [], undecided: [] };

/** The paths that a policy reports for one resource, seen through the engine's own property object. */
export function outcome<S>(policy: Policy<S>, type: string, props: object, settings: object = {}): Outcome {
  return paths(judgeResource(policy, { type, urn: "urn", props: unknownCheckingProxy(props) }, settings));
}

/** Likewise for a stack policy, by the resource's name. */
export function stackOutcome<S>(
  policy: Policy<S>,
  resources: Readonly<Record<string, readonly [type: string, props: object]>>,
  settings: object = {},
): Readonly<Record<string, Outcome>> {
  const given = Object.entries(resources).map(([urn, [type, props]]) => ({
    type,
    urn,
    props: unknownCheckingProxy(props),
  }));
  const judged = [...judgeStack(policy, given, settings)].map(
    ([{ urn }, judge]) => [urn, paths(judge)] as const,
  );
  return Object.fromEntries(judged.filter(([, found]) => JSON.stringify(found) !== JSON.stringify(nothing)));
}

function paths({ violations, undecided }: Judge): Outcome {
  return {
    violations: violations.map(({ field }) => field.path),
    undecided: undecided.map(({ path }) => path),
  };
}

/** A run of the pack whose findings are kept. */
export function runOf(
  given: { updating?: boolean; exceptions?: readonly Exception[]; today?: string } = {},
): Run & { readonly found: readonly ReportedFinding[] } {
  const found: ReportedFinding[] = [];
  return {
    updating: given.updating ?? false,
    exceptions: new Exceptions(given.exceptions ?? [], given.today ?? "2026-11-25"),
    undecidedBlocks: false,
    found,
    record: (line) => {
      if (!("asked" in line)) found.push(line);
    },
  };
}
