import {
  analysisRunSchema,
  replicaSetSchema,
  rolloutSchema,
  serviceSchema,
} from "../../../tools/release/objects";
import type { AnalysisRun, Release, ReplicaSet } from "../../../tools/release/objects";

/** The moment of every picture in the tests. */
export const now = Date.parse("2026-01-02T12:10:00Z");

export const hashes = { old: "aaaa1111", stable: "bbbb2222", current: "cccc3333" } as const;

/** The Pod template of a version, as the API server gives it back. */
export function template(version: string, schemaRevision?: string) {
  return {
    metadata: {
      labels: { "app.kubernetes.io/name": "inventory", "app.kubernetes.io/version": version },
      ...(schemaRevision === undefined
        ? {}
        : { annotations: { "technova.io/schema-revision": schemaRevision } }),
    },
    spec: {
      containers: [
        {
          name: "inventory",
          image: `registry/inventory@sha256:${version.replaceAll(".", "").padEnd(64, "0")}`,
        },
      ],
    },
  };
}

export const strategies = {
  rolling: { canary: { maxSurge: 1, maxUnavailable: 0 } },
  canary: {
    canary: {
      stableService: "inventory-stable",
      canaryService: "inventory-canary",
      trafficRouting: { traefik: { weightedTraefikServiceName: "inventory" } },
      steps: [
        { setWeight: 10 },
        { pause: { duration: "120s" } },
        { setWeight: 50 },
        { pause: {} },
        { analysis: { templates: [{ templateName: "deciding" }] } },
      ],
    },
  },
  blueGreen: {
    blueGreen: {
      activeService: "inventory-active",
      previewService: "inventory-preview",
      autoPromotionEnabled: false,
      scaleDownDelaySeconds: 60,
      prePromotionAnalysis: { templates: [{ templateName: "before" }] },
      postPromotionAnalysis: { templates: [{ templateName: "after" }] },
    },
  },
} as const;

/** A ReplicaSet of the Rollout; its raw form, as the API server would send it. */
export function replicaSet(hash: string, version: string, more: ReplicaSetFields = {}) {
  const { replicas = 2, available = replicas, schema = "0004", revision = 1, created, annotations } = more;
  const made = template(version, schema);
  return {
    metadata: {
      name: `inventory-${hash}`,
      labels: { "rollouts-pod-template-hash": hash },
      annotations: { "rollout.argoproj.io/revision": `${revision}`, ...annotations },
      creationTimestamp: created ?? `2026-01-02T12:0${revision}:00Z`,
      ownerReferences: [{ kind: "Rollout", name: "inventory", uid: more.owner ?? "the-rollout" }],
    },
    spec: {
      replicas,
      template: {
        ...made,
        metadata: {
          ...made.metadata,
          creationTimestamp: null,
          labels: { ...made.metadata.labels, "rollouts-pod-template-hash": hash },
        },
      },
    },
    status: { replicas, readyReplicas: available, availableReplicas: available },
  };
}

interface ReplicaSetFields {
  readonly replicas?: number;
  readonly available?: number;
  readonly schema?: string;
  readonly revision?: number;
  readonly created?: string;
  readonly owner?: string;
  readonly annotations?: Record<string, string>;
}

/** A Rollout whose version 1.1.0 is on its way to replace 1.0.0; its raw form. */
export function rollout(
  strategy: keyof typeof strategies,
  status: Record<string, unknown> = {},
  spec: Record<string, unknown> = {},
) {
  return {
    metadata: {
      name: "inventory",
      namespace: "inventory",
      uid: "the-rollout",
      resourceVersion: "100",
      generation: 7,
      annotations: { "rollout.argoproj.io/revision": "3" } as Record<string, string>,
    },
    spec: {
      replicas: 2,
      progressDeadlineSeconds: 300,
      strategy: strategies[strategy],
      template: template("1.1.0", "0005"),
      ...spec,
    },
    status: {
      phase: "Progressing",
      message: "more replicas need to be updated",
      observedGeneration: "7",
      currentPodHash: hashes.current,
      stableRS: hashes.stable,
      ...status,
    },
  };
}

/** What a Rollout says that is done with version 1.1.0. */
export const healthy = {
  phase: "Healthy",
  message: "",
  currentPodHash: hashes.current,
  stableRS: hashes.current,
};

export const replicaSets = () => [
  replicaSet(hashes.old, "0.9.0", { replicas: 0, schema: "0003", revision: 1 }),
  replicaSet(hashes.stable, "1.0.0", { revision: 2 }),
  replicaSet(hashes.current, "1.1.0", { revision: 3, schema: "0005", available: 1 }),
];

export function release(raw: ReturnType<typeof rollout>, more: Partial<Release> = {}): Release {
  return {
    rollout: rolloutSchema.parse(raw),
    replicaSets: replicaSets().map((each): ReplicaSet => replicaSetSchema.parse(each)),
    analysisRuns: [],
    ...more,
  };
}

export function activeService(hash: string) {
  return serviceSchema.parse({
    metadata: { name: "inventory-active" },
    spec: { selector: { "rollouts-pod-template-hash": hash } },
  });
}

interface Result {
  readonly name: string;
  readonly phase: string;
  readonly count?: number;
  readonly error?: number;
  readonly measurements?: { phase: string; value?: string; message?: string }[];
}

/** An analysis of the version that is released. */
export function analysisRun(
  labels: Record<string, string>,
  results: readonly Result[],
  more: { phase?: string; created?: string; hash?: string; owner?: string } = {},
): AnalysisRun {
  return analysisRunSchema.parse({
    metadata: {
      name: "run",
      creationTimestamp: more.created ?? "2026-01-02T12:05:00Z",
      labels: {
        ...(more.owner ? {} : { "rollouts-pod-template-hash": more.hash ?? hashes.current }),
        ...labels,
      },
      ownerReferences: more.owner ? [{ kind: "Experiment", name: more.owner, uid: "e" }] : [],
    },
    spec: {
      metrics: ["error-percent", "p95-milliseconds"].map((name) => ({
        name,
        failureCondition: `len(result) > 0 && result[0] > ${name === "error-percent" ? 5 : 1000}`,
      })),
    },
    status: { phase: more.phase ?? "Running", metricResults: results },
  });
}

export const pauseCondition = (reason: string) => ({ reason, startTime: "2026-01-02T12:09:00Z" });
