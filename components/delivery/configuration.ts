import { createHash } from "node:crypto";
import { ConfigMapPatch, SecretPatch } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import type { ApplicationSettings } from "../config/application";
import { labels } from "../labels";

export interface ConfigurationArgs {
  /** The application that reads it. */
  readonly application: string;
  readonly settings: ApplicationSettings;
  /** Name of the environment, for people. */
  readonly environment: string;
  readonly namespace: pulumi.Input<string>;
  /** Address of the database; left out where an existing Secret has it. */
  readonly databaseUrl?: pulumi.Output<string>;
}

/**
 * What the application's Pods read, in objects that never change: another value is another object with another name.
 * So each version of the Pod template keeps the configuration it was released with, and a change of configuration is
 * a release like any other. The objects of the versions before stay as long as the cluster keeps their Pods' template:
 * each release makes its own objects depend on it. The name follows from the content, and an object is applied, not
 * created: one that is there still is taken as it is, so that going back to a configuration is going back to the very
 * same template, which is no release where it serves already.
 */
export class Configuration extends pulumi.ComponentResource {
  /** ConfigMap with the environment variables. */
  readonly configMapName: pulumi.Output<string>;
  /** The Secret that is made here. */
  readonly ownSecretName: pulumi.Output<string>;
  /** Secrets whose keys are mounted as files. */
  readonly secretNames: readonly pulumi.Input<string>[];
  /** The key of the first administrator; secret. */
  readonly adminApiKey: pulumi.Output<string>;
  /** The key of the tests that a new version has to pass; secret. */
  readonly smokeTestApiKey: pulumi.Output<string>;

  constructor(name: string, args: ConfigurationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Configuration", name, {}, opts);
    const parent = { parent: this };
    const metadata = {
      namespace: args.namespace,
      labels: labels({ name: args.application, component: "api" }),
    };
    const data = environmentVariables(args.settings, args.environment);
    const kept = { ...parent, retainOnDelete: true };
    this.configMapName = new ConfigMapPatch(
      `${name}-map`,
      { metadata: { ...metadata, name: `${name}-${contentHash(data)}` }, immutable: true, data },
      kept,
    ).metadata.name;
    const apiKey = (holder: string) =>
      new RandomPassword(`${name}-${holder}-key`, { length: 48, special: false }, parent).result;
    this.adminApiKey = apiKey("admin");
    this.smokeTestApiKey = apiKey("smoke-test");
    const content = pulumi
      .all({
        inventory_api_keys: pulumi
          .all({ admin: this.adminApiKey, "smoke-test": this.smokeTestApiKey })
          .apply(apiKeys),
        ...(args.databaseUrl === undefined ? {} : { inventory_database_url: args.databaseUrl }),
      })
      .apply((values): Record<string, string> => values);
    // Nobody can test guesses of a password by this hash: it is one of random keys, too.
    const hash = pulumi.unsecret(content.apply(contentHash));
    const secret = new SecretPatch(
      `${name}-secrets`,
      {
        metadata: { ...metadata, name: pulumi.interpolate`${name}-${hash}` },
        immutable: true,
        stringData: content,
      },
      kept,
    );
    const { database } = args.settings;
    const existing = database.type === "external" ? database.existingSecret : undefined;
    this.ownSecretName = secret.metadata.name;
    this.secretNames = [this.ownSecretName, ...(existing === undefined ? [] : [existing])];
    this.registerOutputs({ configMapName: this.configMapName });
  }
}

/** The service's environment. */
export function environmentVariables(
  settings: ApplicationSettings,
  environment: string,
): Record<string, string> {
  const { configuration, shutdown } = settings;
  return {
    INVENTORY_ENVIRONMENT: environment,
    INVENTORY_LOG_LEVEL: configuration.logLevel,
    INVENTORY_DATABASE_POOL_SIZE: String(configuration.databasePoolSize),
    INVENTORY_RATE_LIMIT_PER_MINUTE: String(configuration.rateLimitPerMinute),
    INVENTORY_MAX_REQUEST_BYTES: String(configuration.maxRequestBytes),
    INVENTORY_EXPECTED_SCHEMA_REVISION: settings.schemaRevision,
    // The Pod has drained before it is told to stop.
    INVENTORY_SHUTDOWN_DELAY_SECONDS: "0",
    INVENTORY_SHUTDOWN_GRACE_SECONDS: String(shutdown.graceSeconds),
  };
}

/** Ten hex digits that follow from the content, whatever the order of its keys. */
export function contentHash(data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 10);
}

/**
 * The service's list of administrators. It knows the SHA-256 of their keys only: they are random, so that a plain hash
 * cannot be reversed.
 */
export function apiKeys(keys: Readonly<Record<string, string>>): string {
  return JSON.stringify(
    Object.entries(keys).map(([name, key]) => ({
      name,
      role: "admin",
      sha256: createHash("sha256").update(key).digest("hex"),
    })),
  );
}
