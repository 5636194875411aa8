import { z } from "zod";
import { applicationSchema } from "./application";
import { shortages } from "./capacity";
import { falcoSchema } from "./falco";
import { optional, section, unlessOff } from "./field";
import { githubSchema } from "./github";
import { monitoringSchema } from "./monitoring";
import {
  argoRolloutsSchema,
  clusterSchema,
  gatewaySchema,
  imagesSchema,
  metricsServerSchema,
  registrySchema,
} from "./platform";
import { keyPath, problemsOf, type Problem } from "./problems";
import { sealedSecretsSchema } from "./sealedSecrets";
import { secretsSchema } from "./secrets";
import { flag } from "./values";
import { veleroSchema } from "./velero";

/** Every key that a stack may have in the project's namespace. */
const settingsSchema = section({
  application: applicationSchema,
  gateway: gatewaySchema,
  registry: registrySchema,
  cluster: clusterSchema.prefault({}),
  /** Whether what cannot be made again, the volumes and the repository, is kept from being deleted or replaced. */
  protect: flag().default(false),
  images: imagesSchema.prefault({}),
  metricsServer: optional(metricsServerSchema),
  argoRollouts: unlessOff(argoRolloutsSchema),
  monitoring: optional(monitoringSchema),
  falco: optional(falcoSchema),
  sealedSecrets: optional(sealedSecretsSchema),
  velero: optional(veleroSchema),
  github: optional(githubSchema),
  secrets: secretsSchema.prefault({}),
}).superRefine((settings, context) => {
  const { application, argoRollouts, monitoring, sealedSecrets, velero } = settings;
  const { strategy } = application;
  for (const { path, message } of shortages(settings))
    context.addIssue({ code: "custom", path: [...path], message });
  for (const [index, namespace] of (sealedSecrets?.namespaces ?? []).entries()) {
    const needs = { inventory: true, gateway: true, monitoring, backup: velero }[namespace];
    if (needs !== undefined) continue;
    context.addIssue({
      code: "custom",
      path: ["sealedSecrets", "namespaces", index],
      message: `no "${namespace}" as long as there is no ${namespace === "backup" ? "velero" : namespace}`,
    });
  }
  if (strategy.analysis === undefined) return;
  const scrapes = 2 * (monitoring?.prometheus.scrapeIntervalSeconds ?? 0);
  if (strategy.analysis.windowSeconds < scrapes) {
    context.addIssue({
      code: "custom",
      path: ["application", "strategy", "analysis", "windowSeconds"],
      message: `at least ${scrapes}, twice monitoring.prometheus.scrapeIntervalSeconds: less shows no increase`,
    });
  }
  if (argoRollouts === undefined) {
    context.addIssue({
      code: "custom",
      path: ["argoRollouts"],
      message: `the platform's own controller for a ${strategy.type} release that is measured: no other may ask its Prometheus`,
    });
  }
  if (monitoring !== undefined) return;
  context.addIssue({
    code: "custom",
    path: ["application", "strategy", strategy.type === "rolling" ? "analysis" : "type"],
    message:
      strategy.type === "rolling"
        ? "nothing as long as there is no monitoring, which would have to measure the release"
        : `"rolling" as long as there is no monitoring: a ${strategy.type} release is measured`,
  });
});

export type PlainSettings = z.infer<typeof settingsSchema>;

export const settingKeys = Object.keys(settingsSchema.shape);

export type Parsed = { readonly settings: PlainSettings } | { readonly problems: readonly Problem[] };

/**
 * Checks everything that a stack says, each value by itself and all of them together.
 * @param encrypted keys whose value is encrypted in the stack's file, wholly or in part: they are never shown
 */
export function parseSettings(
  raw: Readonly<Record<string, unknown>>,
  project: string,
  encrypted: readonly string[],
): Parsed {
  const parsed = settingsSchema.safeParse(raw);
  const problems = parsed.success
    ? missingSecrets(parsed.data).map(({ path, because }) => ({
        key: keyPath(project, path),
        told: `got nothing; it takes a secret, because ${because}; ${howToSet(keyPath(project, path))}`,
      }))
    : problemsOf(parsed.error.issues, raw, project, [...encrypted, "secrets"]);
  problems.push(...misplacedSecrets(raw, project, encrypted));
  return parsed.success && problems.length === 0 ? { settings: parsed.data } : { problems };
}

const howToSet = (key: string) => `set it with: npm run pulumi -- config set --secret --path '${key}'`;

/** Secrets in plain text, and encrypted values where nothing secret belongs: both end up where they can be read. */
function misplacedSecrets(
  raw: Readonly<Record<string, unknown>>,
  project: string,
  encrypted: readonly string[],
): Problem[] {
  const problems: Problem[] = encrypted
    .filter((key) => key !== "secrets" && settingKeys.includes(key))
    .map((key) => ({
      key: `${project}:${key}`,
      told: `got an encrypted value; it takes plain values only: a secret belongs under ${project}:secrets, the others would show it`,
    }));
  const { secrets } = raw;
  const filled = typeof secrets === "object" && secrets !== null && Object.keys(secrets).length > 0;
  if (filled && !encrypted.includes("secrets")) {
    problems.push({
      key: `${project}:secrets`,
      told: `got plain text; it takes encrypted values only. Take the key out, and for each secret ${howToSet(`${project}:secrets.<name>`)}`,
    });
  }
  return problems;
}

/** Secrets that the other settings ask for and that are not there. */
function missingSecrets(settings: PlainSettings): { path: string[]; because: string }[] {
  const missing: { path: string[]; because: string }[] = [];
  const { application, gateway, registry, github, monitoring, secrets } = settings;
  const { database } = application;
  if (database.type === "external" && database.existingSecret === undefined && !secrets.databaseUrl) {
    missing.push({ path: ["secrets", "databaseUrl"], because: "the database is external" });
  }
  if (registry.username !== undefined && !secrets.registryPassword) {
    missing.push({ path: ["secrets", "registryPassword"], because: "the registry has a username" });
  }
  for (const receiver of monitoring?.alertmanager?.receivers ?? []) {
    const { name, type } = receiver;
    const asksForOne = type !== "email" || receiver.username !== undefined;
    if (secrets.alertReceivers[name] === undefined && asksForOne) {
      missing.push({
        path: ["secrets", "alertReceivers", name],
        because: `technova:monitoring.alertmanager.receivers has "${name}"`,
      });
    }
  }
  if (gateway.tls.mode === "provided") {
    for (const name of ["gatewayCertificate", "gatewayPrivateKey"] as const) {
      if (!secrets[name])
        missing.push({ path: ["secrets", name], because: 'technova:gateway.tls.mode is "provided"' });
    }
  }
  if (github !== undefined) {
    const { environments } = github;
    const names = [...github.secrets, ...environments.staging.secrets, ...environments.production.secrets];
    for (const name of new Set(names)) {
      if (!secrets.github[name])
        missing.push({ path: ["secrets", "github", name], because: "technova:github lists it" });
    }
  }
  return missing;
}
