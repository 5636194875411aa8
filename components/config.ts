import * as pulumi from "@pulumi/pulumi";
import { unknownKey } from "./config/field";
import { problemMessage, type Problem } from "./config/problems";
import type { PlainSecrets } from "./config/secrets";
import { parseSettings, settingKeys, type PlainSettings } from "./config/settings";

/** Secrets from the stack's configuration; each stays an Output that is marked as secret. */
export type Secrets = {
  readonly [K in Exclude<keyof PlainSecrets, SecretsByName>]: pulumi.Output<string> | undefined;
} & { readonly [K in SecretsByName]: Readonly<Record<string, pulumi.Output<string>>> };

/** Secrets of which a stack has any number. */
type SecretsByName = "github" | "alertReceivers" | "formerBackupKeys";

/** All that the program is told: one stack's settings, checked. */
export interface Settings extends Omit<PlainSettings, "secrets"> {
  /** The stack's name: names the environment to people, decides nothing. */
  readonly stack: string;
  readonly secrets: Secrets;
}

/**
 * Reads and checks the stack's settings.
 * @throws pulumi.RunError that lists every problem; the CLI shows it without a stack trace.
 */
export function loadSettings(): Settings {
  const config = new pulumi.Config();
  const { raw, encrypted, problems } = readAll(config);
  const parsed = parseSettings(raw, config.name, encrypted);
  const found = [...problems, ...("problems" in parsed ? parsed.problems : [])];
  if (found.length > 0 || "problems" in parsed) {
    throw new pulumi.RunError(problemMessage(pulumi.getStack(), found));
  }
  const { secrets, ...settings } = parsed.settings;
  return { ...settings, stack: pulumi.getStack(), secrets: asOutputs(secrets) };
}

interface Raw {
  readonly raw: Record<string, unknown>;
  /** Keys whose value is encrypted, wholly or in part. */
  readonly encrypted: string[];
  readonly problems: Problem[];
}

/** Every key of the project's namespace as a plain value; keys that do not exist are problems. */
function readAll(config: pulumi.Config): Raw {
  const result: Raw = { raw: {}, encrypted: [], problems: [] };
  for (const [fullKey, value] of Object.entries(pulumi.runtime.allConfig())) {
    const [namespace, key = ""] = fullKey.split(":");
    if (namespace !== config.name) continue;
    if (isEncrypted(fullKey)) result.encrypted.push(key);
    if (settingKeys.includes(key)) result.raw[key] = plain(value);
    else result.problems.push({ key: fullKey, told: unknownKey(key, settingKeys) });
  }
  return result;
}

/** The SDK knows which values were encrypted, but its types leave the question out. */
function isEncrypted(fullKey: string): boolean {
  const runtime = pulumi.runtime as typeof pulumi.runtime & { isConfigSecret(key: string): boolean };
  return runtime.isConfigSecret(fullKey);
}

/** Objects arrive as JSON, strings as themselves. */
function plain(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function asOutputs({ github, alertReceivers, formerBackupKeys, ...single }: PlainSecrets): Secrets {
  const secret = (value: string | undefined) => (value === undefined ? undefined : pulumi.secret(value));
  const each = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
  return {
    databaseUrl: secret(single.databaseUrl),
    registryPassword: secret(single.registryPassword),
    gatewayCertificate: secret(single.gatewayCertificate),
    gatewayPrivateKey: secret(single.gatewayPrivateKey),
    backupKey: secret(single.backupKey),
    formerBackupKeys: each(formerBackupKeys),
    alertReceivers: each(alertReceivers),
    github: each(github),
  };
}
