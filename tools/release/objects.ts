import { z } from "zod";

/*
 * The objects that make up a release, as far as the commands read them. Fields that the API server may leave out are
 * optional here; what the commands never look at is dropped, except in Pod templates, which are written back whole.
 */

const labels = z.record(z.string(), z.string()).nullish();

const metadata = z.object({
  name: z.string(),
  uid: z.string().default(""),
  resourceVersion: z.string().default(""),
  generation: z.int().default(0),
  creationTimestamp: z.string().nullish(),
  labels,
  annotations: labels,
  ownerReferences: z.array(z.object({ kind: z.string(), name: z.string(), uid: z.string() })).nullish(),
});

const podTemplate = z.looseObject({
  metadata: z.looseObject({ labels, annotations: labels }).optional(),
  spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string().optional() })) }),
});

const podsOrPercent = z.union([z.int(), z.string()]);
const analysis = z.looseObject({}).nullish();

const step = z.object({
  setWeight: z.int().optional(),
  pause: z.object({ duration: z.union([z.int(), z.string()]).nullish() }).optional(),
  setCanaryScale: z
    .object({
      weight: z.int().optional(),
      replicas: z.int().optional(),
      matchTrafficWeight: z.boolean().optional(),
    })
    .optional(),
  analysis: analysis,
  experiment: z.looseObject({}).optional(),
});

const canary = z.object({
  steps: z.array(step).default([]),
  trafficRouting: z.looseObject({}).optional(),
  maxSurge: podsOrPercent.optional(),
  maxUnavailable: podsOrPercent.optional(),
});

const blueGreen = z.object({
  activeService: z.string(),
  previewService: z.string().optional(),
  previewReplicaCount: z.int().nullish(),
  autoPromotionEnabled: z.boolean().nullish(),
  autoPromotionSeconds: z.int().optional(),
  prePromotionAnalysis: analysis,
  postPromotionAnalysis: analysis,
});

const runStatus = z
  .object({ name: z.string(), status: z.string().default(""), message: z.string().optional() })
  .nullish();
const weight = z.object({ weight: z.int(), podTemplateHash: z.string().optional() });

const rolloutStatus = z.object({
  phase: z.string().default(""),
  message: z.string().default(""),
  observedGeneration: z.string().default(""),
  currentPodHash: z.string().default(""),
  stableRS: z.string().default(""),
  abort: z.boolean().default(false),
  promoteFull: z.boolean().default(false),
  controllerPause: z.boolean().default(false),
  pauseConditions: z.array(z.object({ reason: z.string(), startTime: z.string() })).nullish(),
  currentStepIndex: z.int().nullish(),
  conditions: z
    .array(z.object({ type: z.string(), reason: z.string().default(""), message: z.string().default("") }))
    .nullish(),
  canary: z
    .object({
      weights: z.object({ canary: weight, stable: weight }).nullish(),
      currentStepAnalysisRunStatus: runStatus,
    })
    .nullish(),
  blueGreen: z
    .object({
      activeSelector: z.string().default(""),
      previewSelector: z.string().default(""),
      prePromotionAnalysisRunStatus: runStatus,
      postPromotionAnalysisRunStatus: runStatus,
    })
    .nullish(),
});

export const rolloutSchema = z.object({
  metadata,
  spec: z.object({
    replicas: z.int().default(1),
    paused: z.boolean().default(false),
    progressDeadlineSeconds: z.int().default(600),
    strategy: z.object({ canary: canary.optional(), blueGreen: blueGreen.optional() }),
    template: podTemplate,
  }),
  status: rolloutStatus.prefault({}),
});

export const replicaSetSchema = z.object({
  metadata,
  spec: z.object({ replicas: z.int().default(1), template: podTemplate }),
  status: z
    .object({
      replicas: z.int().default(0),
      readyReplicas: z.int().default(0),
      availableReplicas: z.int().default(0),
    })
    .prefault({}),
});

export const analysisRunSchema = z.object({
  metadata,
  spec: z.object({
    metrics: z.array(z.object({ name: z.string(), failureCondition: z.string().optional() })).default([]),
  }),
  status: z
    .object({
      phase: z.string().default("Pending"),
      message: z.string().default(""),
      metricResults: z
        .array(
          z.object({
            name: z.string(),
            phase: z.string(),
            count: z.int().default(0),
            error: z.int().default(0),
            measurements: z
              .array(
                z.object({ phase: z.string(), value: z.string().optional(), message: z.string().optional() }),
              )
              .default([]),
          }),
        )
        .default([]),
    })
    .prefault({}),
});

export const serviceSchema = z.object({ metadata, spec: z.object({ selector: labels }) });
export const configMapSchema = z.object({
  metadata,
  data: z.record(z.string(), z.string()).nullish(),
});

export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

export type Rollout = z.infer<typeof rolloutSchema>;
export type ReplicaSet = z.infer<typeof replicaSetSchema>;
export type AnalysisRun = z.infer<typeof analysisRunSchema>;
export type Service = z.infer<typeof serviceSchema>;
export type ConfigMap = z.infer<typeof configMapSchema>;
export type PodTemplate = z.infer<typeof podTemplate>;
export type Step = z.infer<typeof step>;

/** Everything that is read of a release at one time. */
export interface Release {
  readonly rollout: Rollout;
  /** Those of the Rollout itself; an experiment's are not among them. */
  readonly replicaSets: readonly ReplicaSet[];
  readonly analysisRuns: readonly AnalysisRun[];
  /** The Service that users reach, where the strategy switches it. */
  readonly activeService?: Service;
  /** `inventory-releases`; a cluster that has seen no release yet has none. */
  readonly records?: ConfigMap;
}
