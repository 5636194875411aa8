import { z } from "zod";
import { field, listOf, section } from "./field";
import { s3 } from "./migration";
import { flag, resources, text, wholeNumber } from "./values";

const { bucket, prefix, region, endpoint, existingSecret, accountAnnotations, cidrs } = s3.shape;

/** A bucket; in the namespace `backup` is what `existingSecret` names. */
const store = section({
  bucket,
  prefix,
  region,
  endpoint,
  existingSecret,
  accountAnnotations,
  cidrs,
}).refine((settings) => settings.existingSecret === undefined || settings.accountAnnotations === undefined, {
  error: "existingSecret or accountAnnotations, not both",
  path: ["accountAnnotations"],
});

/** Minute and hours: at least once a day, which the alert about late backups counts on. */
const daily = 'a line of cron that comes up every day, such as "27 2 * * *" or "7 */6 * * *"';

/** `technova:velero`: what keeps the objects and volumes of the whole cluster in a bucket. */
export const veleroSchema = section({
  enabled: flag().default(true),
  store,
  /** When a backup begins, in UTC. */
  schedule: text(
    daily,
    /^[0-5]?\d (\*|\*\/([1-9]|1\d|2[0-3])|([01]?\d|2[0-3])(,([01]?\d|2[0-3]))*) \* \* \*$/,
  ).default("27 2 * * *"),
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
