import { z } from "zod";
import { field, listOf, section } from "./field";
import { schedule } from "./schedule";
import { oneIdentity, storeShape } from "./store";
import { flag, resources, wholeNumber } from "./values";

const { bucket, prefix, region, endpoint, existingSecret, accountAnnotations, cidrs } = storeShape;

/** A bucket; what `existingSecret` names is in the namespace `backup`. */
const store = section({
  bucket,
  prefix,
  region,
  endpoint,
  existingSecret,
  accountAnnotations,
  cidrs,
}).refine(...oneIdentity);

/** `technova:velero`: what keeps the objects and volumes of the whole cluster in a bucket. */
export const veleroSchema = section({
  enabled: flag().default(true),
  store,
  /** When a backup begins. Cron, UTC. */
  schedule: schedule().default("27 2 * * *"),
  retentionDays: wholeNumber(1, 3650).default(30),
  /**
   * Whether Secrets are kept, too. They lie in the bucket as readable as the bucket is; the platform's own are in the
   * stack's state, encrypted.
   */
  includeSecrets: flag().default(false),
  /** Groups of kinds that the cluster has beside Kubernetes' own and the platform's. */
  additionalApiGroups: listOf(
    "a list of API groups",
    field(
      'an API group such as "cert-manager.io"',
      z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/),
    ),
  ).default([]),
  /** Copies files of volumes, on every node; without it objects alone are kept. */
  nodeAgent: section({
    enabled: flag().default(true),
    /** Of the Pod that copies one volume. */
    resources: resources().default({
      requests: { cpu: "100m", memory: "256Mi" },
      limits: { cpu: "1", memory: "1Gi" },
    }),
  }).prefault({}),
  resources: resources().default({
    requests: { cpu: "100m", memory: "128Mi" },
    limits: { cpu: "1", memory: "512Mi" },
  }),
});

export type VeleroSettings = z.infer<typeof veleroSchema>;
