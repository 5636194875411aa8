import { z } from "zod";
import { choice, listOf, optional, section } from "./field";
import { cidrs, dnsLabel, flag, resources, storage, text, wholeNumber, word } from "./values";

const volume = (size: string) => ({
  storage: storage().default(size),
  /** The cluster's default class if left out. */
  storageClassName: dnsLabel().optional(),
});

const prometheus = section({
  /** How often everything is read. A release is judged by what was read while it ran. */
  scrapeIntervalSeconds: wholeNumber(1, 300).default(15),
  /** Figures over 7 and 30 days are made where samples are kept for as long. */
  retentionDays: wholeNumber(1, 400).default(30),
  ...volume("20Gi"),
  resources: resources().default({
    requests: { cpu: "200m", memory: "512Mi" },
    limits: { cpu: "2", memory: "2Gi" },
  }),
});

const address = () => text("an e-mail address", /^[^@\s]+@[^@\s]+$/);

/** What every receiver has, whatever its kind. */
const receiver = {
  name: dnsLabel(),
  /** Alerts of which severity it gets. */
  severities: listOf("a list of severities", word("critical", "warning", "info"))
    .min(1, { error: 'a list of severities such as ["critical"], not empty' })
    .default(["critical", "warning"]),
  /** Where its service is: Alertmanager reaches these addresses and no others. */
  cidrs: cidrs(),
};
/** Of a receiver that is told by HTTP: the port of its service. */
const port = wholeNumber(1, 65_535).default(443);

/** Who is told; the address, key or password that tells them is `technova:secrets.alertReceivers.<name>`. */
const receivers = choice("type", [
  /** Secret: the URL. */
  section({ type: z.literal("webhook"), ...receiver, port }),
  /** Secret: the URL of the incoming webhook. */
  section({
    type: z.literal("slack"),
    ...receiver,
    port,
    channel: text('a channel such as "#alerts"', /^[#@]\S+$/),
  }),
  /** Secret: the integration's routing key. */
  section({ type: z.literal("pagerDuty"), ...receiver, port }),
  /** Secret: the password, where there is a user name. */
  section({
    type: z.literal("email"),
    ...receiver,
    to: address(),
    from: address(),
    smarthost: text('host and port of a server such as "smtp.example.com:587"', /^[a-z0-9.-]+:\d{1,5}$/),
    username: text("a user name without spaces", /^\S+$/).optional(),
  }),
]);

const alertmanager = section({
  enabled: flag().default(true),
  /** They tell each other what they have sent, so that nobody is told twice. */
  replicas: wholeNumber(1, 5).default(1),
  receivers: listOf("a list of receivers", receivers)
    .default([])
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
      error: "receivers with names that differ",
    }),
  /** How long the first alert of a group waits for others. */
  groupWaitSeconds: wholeNumber(0, 3600).default(30),
  /** How long until further alerts of the group are told. */
  groupIntervalSeconds: wholeNumber(1, 86_400).default(300),
  /** How long until what goes on is told again. */
  repeatIntervalHours: wholeNumber(1, 720).default(4),
  ...volume("1Gi"),
  resources: resources().default({
    requests: { cpu: "20m", memory: "48Mi" },
    limits: { cpu: "500m", memory: "128Mi" },
  }),
});

/** Minutes that divide an hour, so that runs are as far apart across the hour as within it. */
const minutes = ["5", "10", "15", "20", "30", "60"] as const;

/** The audit log of an organisation on GitHub, which GitHub Enterprise Cloud has. */
const githubAudit = section({
  organisation: text("the organisation's name in its address", /^[A-Za-z0-9-]+$/),
  /** Secret in the namespace `monitoring`; its key `token` is an owner's token with the scope `read:audit_log`. */
  existingSecret: dnsLabel(),
  /** Where GitHub's API is: these addresses are reached and no others. */
  cidrs: cidrs(),
  api: text(
    "an address such as https://api.github.com",
    /^https:\/\/[a-z0-9.-]+(:\d{1,5})?(\/[\w./-]*)?$/,
  ).default("https://api.github.com"),
  /** `web`: what was changed; `all`: also what was pushed, fetched and cloned. */
  include: word("web", "all").default("web"),
  everyMinutes: wholeNumber(5, 60)
    .refine((value) => minutes.some((each) => each === String(value)), {
      error: `one of ${minutes.join(", ")}`,
    })
    .default(10),
});

const logs = section({
  enabled: flag().default(true),
  retentionDays: wholeNumber(1, 400).default(30),
  ...volume("50Gi"),
  resources: resources().default({
    requests: { cpu: "100m", memory: "256Mi" },
    limits: { cpu: "2", memory: "1Gi" },
  }),
  /** What was done in an organisation on GitHub comes into the audit trail, too. */
  github: optional(githubAudit),
  /** What reads the logs on each node. */
  collector: section({
    resources: resources().default({
      requests: { cpu: "50m", memory: "64Mi" },
      limits: { cpu: "500m", memory: "256Mi" },
    }),
  }).prefault({}),
  /** Folder on the nodes with the API server's `audit.log`; left out where the control plane is somebody else's. */
  auditLogFolder: text(
    'a folder below /var/log such as "/var/log/kubernetes"',
    /^\/var\/log(\/[\w.-]+)+$/,
  ).optional(),
});

/** `technova:monitoring`: what is measured and written down, for how long it is kept, and who is told. */
export const monitoringSchema = section({
  enabled: flag().default(true),
  prometheus: prometheus.prefault({}),
  /** Tells people what Prometheus finds wrong. */
  alertmanager: optional(alertmanager),
  /** Loki, which keeps the logs of all Pods and the audit trail, and Promtail, which collects them. */
  logs: optional(logs),
});

export type MonitoringSettings = z.infer<typeof monitoringSchema>;
export type PrometheusSettings = MonitoringSettings["prometheus"];
export type AlertmanagerSettings = NonNullable<MonitoringSettings["alertmanager"]>;
export type AlertReceiver = AlertmanagerSettings["receivers"][number];
export type GitHubAuditSettings = NonNullable<LogsSettings["github"]>;
export type LogsSettings = NonNullable<MonitoringSettings["logs"]>;
