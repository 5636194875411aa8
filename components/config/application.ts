import { z } from "zod";
import { backupSchema, checkBackup, dumpRecovery, timeRecovery } from "./backup";
import { choice, oneOfSections, optional, section } from "./field";
import { releasedImage, repository } from "./image";
import { checkMigration, migrationSchema, withSnapshot } from "./migration";
import { podsOrPercent, strategySchema } from "./strategy";
import {
  cidrs,
  dnsLabel,
  flag,
  hostName,
  resources,
  spread,
  storage,
  text,
  wholeNumber,
  word,
} from "./values";

/** Where the application's image comes from. */
const image = oneOfSections(
  (keys) => keys.includes("build"),
  section({
    build: section({
      /** Repository that the built image is pushed to, without the registry's host. */
      repository: repository(),
      /** Folder with the Dockerfile, relative to the checkout. */
      context: text(
        'a folder inside the checkout such as "app"',
        /^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9._/-]*$/,
      ).default("app"),
      /** Whether Python packages come from the context's `wheels` folder only. */
      offline: flag().default(false),
    }),
  }),
  releasedImage(),
);

const inClusterDatabase = section({
  type: z.literal("inCluster"),
  storage: storage().default("5Gi"),
  /** The cluster's default class if left out. */
  storageClassName: dnsLabel().optional(),
  resources: resources().default({
    requests: { cpu: "100m", memory: "256Mi" },
    limits: { cpu: "1", memory: "512Mi" },
  }),
  /** What an empty volume or database begins with; while there is data, it does nothing. */
  recovery: oneOfSections((keys) => keys.includes("time"), timeRecovery, dumpRecovery).optional(),
});

const externalDatabase = section({
  type: z.literal("external"),
  /** Where the server is; nothing else may be reached from the application's Pods. */
  cidrs: cidrs(),
  port: wholeNumber(1, 65535).default(5432),
  /**
   * Secret in the application's namespace whose key `inventory_database_url` has the address, put there by
   * something else. Without it the address is `technova:secrets.databaseUrl`.
   */
  existingSecret: dnsLabel().optional(),
  /** What an empty database begins with; while there is data, it does nothing. */
  recovery: dumpRecovery.optional(),
});

const disruptionBudget = section({
  minAvailable: podsOrPercent().optional(),
  maxUnavailable: podsOrPercent().optional(),
}).refine(
  ({ minAvailable, maxUnavailable }) => (minAvailable === undefined) !== (maxUnavailable === undefined),
  {
    error: "either minAvailable or maxUnavailable",
  },
);

const autoscaling = section({
  /** The lower bound is `replicas`. */
  maxReplicas: wholeNumber(1, 100),
  /** Mean use of the requested CPU that the autoscaler keeps to. */
  cpuUtilizationPercent: wholeNumber(10, 95).default(70),
  /** How long a lower load has to last before Pods are removed. */
  scaleDownStabilizationSeconds: wholeNumber(0, 3600).default(300),
});

const configuration = section({
  logLevel: word("DEBUG", "INFO", "WARNING", "ERROR").default("INFO"),
  /** Database connections that one Pod keeps at most. */
  databasePoolSize: wholeNumber(1, 100).default(10),
  /** Requests that one API key may make in a minute. */
  rateLimitPerMinute: wholeNumber(1, 10_000_000).default(600),
  /** Largest accepted request body. */
  maxRequestBytes: wholeNumber(1024, 100 * 2 ** 20).default(2 ** 20),
});

const shutdown = section({
  /** How long a Pod goes on serving after its removal began, until every proxy has noticed. */
  drainSeconds: wholeNumber(1, 120).default(10),
  /** How long requests in flight get to finish after that. */
  graceSeconds: wholeNumber(1, 600).default(20),
});

const service = section({
  /** The release's version; part of every response. */
  version: text('a version such as "1.4.0" or "1.4.0-rc.1"', /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 63),
  image,
  /** When the released commit was made: how long changes take until users have them is measured from there. */
  committedAt: text(
    'a point in time with its zone such as "2026-01-31T12:00:00Z"',
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/,
  ).optional(),
  /** Revision that the database's schema has to be at for this release. */
  schemaRevision: text('the four digits of a schema migration in quotes, such as "0004"', /^\d{4}$/),
  /** Name under which the service is reached from outside. */
  hostname: hostName(),
  /** Pods at rest; the autoscaler's lower bound where there is one. */
  replicas: wholeNumber(1, 100).default(2),
  autoscaling: autoscaling.optional(),
  strategy: strategySchema.prefault({ type: "rolling" }),
  resources: resources().default({
    requests: { cpu: "100m", memory: "192Mi" },
    limits: { cpu: "1", memory: "384Mi" },
  }),
  /** Pods that an eviction has to leave, or may take. */
  disruptionBudget: disruptionBudget.default({ maxUnavailable: 1 }),
  spread: spread().default({ nodes: "preferred", zones: "none" }),
  shutdown: shutdown.default({ drainSeconds: 10, graceSeconds: 20 }),
  configuration: configuration.prefault({}),
  database: choice("type", [inClusterDatabase, externalDatabase]),
  migration: migrationSchema.prefault({}),
  backup: optional(backupSchema),
}).superRefine((application, context) => {
  const { replicas, autoscaling: scaling, strategy, disruptionBudget: budget } = application;
  const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  if (scaling !== undefined && scaling.maxReplicas < replicas) {
    problem(["autoscaling", "maxReplicas"], `at least replicas, which is ${replicas}`);
  }
  const { minAvailable, maxUnavailable } = budget;
  if (minAvailable !== undefined && podsOf(minAvailable, replicas) >= replicas && replicas > 1) {
    problem(
      ["disruptionBudget", "minAvailable"],
      `fewer than replicas, which is ${replicas}: else no node could ever be drained`,
    );
  }
  if (maxUnavailable !== undefined && podsOf(maxUnavailable, replicas) === 0 && replicas > 1) {
    problem(["disruptionBudget", "maxUnavailable"], "more than 0: else no node could ever be drained");
  }
  if (strategy.type === "rolling" && podsOf(strategy.maxUnavailable, replicas) >= replicas) {
    problem(
      ["strategy", "maxUnavailable"],
      `fewer than replicas, which is ${replicas}: else a release could stop every Pod`,
    );
  }
});

/** `technova:application`: the service, its release and its database. */
export const applicationSchema = service
  .superRefine(checkMigration)
  .superRefine(checkBackup)
  .transform(withSnapshot);

/** A number of Pods, with a percentage of them rounded up as Kubernetes does for a budget. */
function podsOf(value: number | string, replicas: number): number {
  return typeof value === "number" ? value : Math.ceil((parseInt(value, 10) / 100) * replicas);
}

type Numbers = Pick<ApplicationSettings, "replicas" | "autoscaling">;

/** The most Pods that one version has. */
export const mostPods = ({ replicas, autoscaling }: Numbers): number => autoscaling?.maxReplicas ?? replicas;

/** Pods that there can be at the same time: of a version that is kept, one that serves, and one that comes. */
export const podsAtOnce = (numbers: Numbers): number => 3 * mostPods(numbers);

export type ApplicationSettings = z.infer<typeof applicationSchema>;
export type ImageSettings = ApplicationSettings["image"];
export type DatabaseSettings = ApplicationSettings["database"];
