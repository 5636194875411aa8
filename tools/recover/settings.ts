import { isDeepStrictEqual } from "node:util";
import { parseDocument } from "yaml";
import { z } from "zod";
import { optional } from "../../components/config/field";
import { sealedSecretsSchema } from "../../components/config/sealedSecrets";
import { parseStackSettings } from "../engine/project";
import { quotingTimes } from "../engine/yaml";
import { applicationOf } from "../history/facts";
import type { Config } from "../history/update";
import type { Recovery } from "./wanted";

const named = z.looseObject({ existingSecret: z.string().optional() });
const store = z.looseObject({
  bucket: z.string(),
  prefix: z.string().optional(),
  region: z.string(),
  endpoint: z.string().optional(),
  existingSecret: z.string().optional(),
});
export type BackupStore = z.infer<typeof store>;

const applicationSettings = z.looseObject({
  schemaRevision: z.string().optional(),
  database: z.looseObject({ type: z.string(), existingSecret: z.string().optional() }),
  backup: z
    .looseObject({ store, walArchiving: z.looseObject({ enabled: z.boolean().default(true) }).optional() })
    .optional(),
  migration: z.looseObject({ snapshot: named.optional() }).optional(),
});

const others = z.looseObject({
  gateway: z
    .looseObject({ tls: z.looseObject({ mode: z.string(), secretName: z.string().optional() }) })
    .optional(),
  monitoring: z.looseObject({ logs: z.looseObject({ github: named.optional() }).optional() }).optional(),
  velero: z.looseObject({ store: named.optional() }).optional(),
});

const sealing = optional(sealedSecretsSchema);

/** A Secret that a person has put into the cluster, and that no state has. */
export interface OutsideSecret {
  readonly namespace: string;
  readonly name: string;
  /** The setting that names it. */
  readonly setting: string;
  /** Whether it holds the keys of the backups' bucket, which whoever recovers has at hand. */
  readonly opensBackups: boolean;
}

/** What a stack's settings say, as far as a recovery has to know. */
export interface Known {
  readonly databaseType: string;
  readonly schemaRevision?: string;
  /** Left out where the database is not backed up. */
  readonly backup?: { readonly store: BackupStore; readonly logged: boolean };
  readonly outsideSecrets: readonly OutsideSecret[];
  /** Where the stack's controller makes Secrets of those that are sealed; none where it has no controller. */
  readonly sealingNamespaces: readonly string[];
}

/** @throws UserError when the text is no YAML; settings that are wrong are for the preview to name */
export function readKnown(text: string, path: string, project: string): Known {
  const config = parseStackSettings(text, path).config ?? {};
  const application = applicationSettings.parse(applicationOf(config, project));
  const { gateway, monitoring, velero } = others.parse(
    Object.fromEntries(["gateway", "monitoring", "velero"].map((key) => [key, config[`${project}:${key}`]])),
  );
  const { backup, database, migration } = application;
  const secrets: OutsideSecret[] = [];
  const needs = (namespace: string, name: string | undefined, setting: string, opensBackups = false) => {
    if (name === undefined || secrets.some((each) => each.namespace === namespace && each.name === name))
      return;
    secrets.push({ namespace, name, setting: `${project}:${setting}`, opensBackups });
  };
  needs("inventory", backup?.store.existingSecret, "application.backup.store.existingSecret", true);
  needs("inventory", database.existingSecret, "application.database.existingSecret");
  needs("inventory", migration?.snapshot?.existingSecret, "application.migration.snapshot.existingSecret");
  if (gateway?.tls.mode === "existingSecret")
    needs("gateway", gateway.tls.secretName, "gateway.tls.secretName");
  needs("monitoring", monitoring?.logs?.github?.existingSecret, "monitoring.logs.github.existingSecret");
  needs("backup", velero?.store?.existingSecret, "velero.store.existingSecret");
  return {
    databaseType: database.type,
    schemaRevision: application.schemaRevision,
    outsideSecrets: secrets,
    sealingNamespaces: sealing.safeParse(config[`${project}:sealedSecrets`]).data?.namespaces ?? [],
    ...(backup === undefined
      ? {}
      : { backup: { store: backup.store, logged: backup.walArchiving?.enabled === true } }),
  };
}

/** What belongs to the image: the data that comes back has the schema of that version. */
const imageKeys = ["version", "image", "schemaRevision", "committedAt"] as const;

/**
 * The settings with the image, version and schema that ran when the state was kept; everything else stays, for a new
 * cluster has other addresses.
 * @returns what differs, by name
 */
export function withImageOf(
  text: string,
  then: Config,
  project: string,
): { readonly text: string; readonly changed: readonly string[] } {
  const document = parseDocument(text, quotingTimes);
  const path = ["config", `${project}:application`];
  const ran = applicationOf(then, project);
  const now = applicationOf((document.toJS() as { config?: Config } | null)?.config ?? {}, project);
  const changed = imageKeys.filter((key) => !isDeepStrictEqual(now[key], ran[key]));
  if (Object.keys(ran).length === 0 || changed.length === 0) return { text, changed: [] };
  for (const key of changed) {
    if (ran[key] === undefined) document.deleteIn([...path, key]);
    else document.setIn([...path, key], document.createNode(ran[key]));
  }
  return { text: written(document), changed };
}

/** The settings of the update that fills the database. They are nowhere kept: a volume lost later is not to go back. */
export function withRecovery(text: string, recovery: Recovery | undefined, project: string): string {
  const document = parseDocument(text, quotingTimes);
  const path = ["config", `${project}:application`, "database", "recovery"];
  if (recovery === undefined) document.deleteIn(path);
  else document.setIn(path, document.createNode({ ...recovery }));
  return written(document);
}

const written = (document: ReturnType<typeof parseDocument>): string =>
  document.toString({ lineWidth: 0, flowCollectionPadding: true });
