import { loadSettings, type Settings } from "../../components/config";
import type { JsonObject } from "./mocks";
import { register } from "./mocks";
import { asEngineConfig, stackConfig } from "./stacks";

export const sentinel = "sentinel-that-must-not-be-seen";

/** Settings with every optional part filled in, all of them right. Each call makes new ones. */
export function goodConfig(): Record<string, JsonObject> {
  return structuredClone({
    "technova:application": {
      ...(stackConfig("production")["technova:application"] as JsonObject),
      database: { type: "external", cidrs: ["10.40.0.0/24"] },
      disruptionBudget: { minAvailable: 2 },
      strategy: { type: "rolling", maxSurge: "25%", minReadySeconds: 10, progressDeadlineSeconds: 600 },
    },
    "technova:gateway": {
      service: { type: "NodePort", httpPort: 30080, httpsPort: 30443 },
      tls: { mode: "provided" },
      trustedProxies: ["10.0.0.0/8"],
    },
    "technova:registry": { server: "ghcr.io", username: "puller" },
    "technova:cluster": { quotas: { inventory: { cpu: "128" } } },
    "technova:images": { mirror: "registry.example.com/mirror" },
    "technova:metricsServer": { replicas: 2 },
    "technova:argoRollouts": { replicas: 2 },
    "technova:monitoring": { prometheus: { retentionDays: 30 } },
    "technova:falco": { sensor: { enabled: true }, disabledRules: ["TerminalAttached"] },
    "technova:sealedSecrets": { namespaces: ["inventory", "gateway"] },
    "technova:velero": stackConfig("production")["technova:velero"] as JsonObject,
    "technova:github": {
      ...(stackConfig("production")["technova:github"] as JsonObject),
      secrets: ["KUBECONFIG"],
      variables: { REGION: "north" },
    },
    "technova:secrets": {
      databaseUrl: `postgresql+psycopg://inventory:${sentinel}@db.example.com:5432/inventory`,
      registryPassword: sentinel,
      backupKey: `${sentinel}-and-some-more-characters`,
      formerBackupKeys: { "2025": `${sentinel}-and-some-other-characters` },
      gatewayCertificate: `-----BEGIN CERTIFICATE-----\n${sentinel}\n-----END CERTIFICATE-----`,
      gatewayPrivateKey: `-----BEGIN PRIVATE KEY-----\n${sentinel}\n-----END PRIVATE KEY-----`,
      github: { KUBECONFIG: sentinel },
    },
  });
}

/** Loads settings as the program does; rejects with what the person at the terminal is told. */
export async function load(
  config: Readonly<Record<string, unknown>>,
  secretKeys: readonly string[] = ["technova:secrets"],
): Promise<Settings> {
  const { result, resources } = await register(
    () => {
      try {
        return { settings: loadSettings() };
      } catch (error) {
        return { error };
      }
    },
    { stack: "staging", config: asEngineConfig(config), secretKeys },
  );
  if ("error" in result) {
    if (resources.length > 0) throw new Error("something was registered before the settings were checked");
    throw result.error;
  }
  return result.settings;
}

/** What loading says is wrong; fails when nothing is. */
export async function complaint(
  config: Readonly<Record<string, unknown>>,
  secretKeys?: readonly string[],
): Promise<string> {
  const told = await load(config, secretKeys).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (told === undefined) throw new Error("the settings were accepted");
  return told;
}

/** A copy of the good settings in which one path has another value, or is gone when that is undefined. */
export function changed(path: string, value: unknown): Record<string, JsonObject> {
  const config = goodConfig();
  const [key = "", ...rest] = path.split(".");
  const last = rest.pop();
  if (last === undefined) {
    if (value === undefined) Reflect.deleteProperty(config, key);
    else config[key] = value as JsonObject;
    return config;
  }
  const target = [key, ...rest].reduce<JsonObject>(
    (object, part) => (object[part] ??= {}) as JsonObject,
    config,
  );
  if (value === undefined) Reflect.deleteProperty(target, last);
  else target[last] = value as JsonObject;
  return config;
}
