import { readFileSync } from "node:fs";
import { projectName, stackFile } from "../engine/project";
import { UserError } from "../engine/report";
import { applicationOf } from "../history/facts";
import type { FullApi } from "../release/api";
import { Objects } from "../state/objects";
import { describe } from "../state/verify";
import type { SealingKey } from "../secrets/keys";
import { findArchive, type FoundArchive } from "./archives";
import { namespacesThere, type Secret } from "./cluster";
import {
  readSecrets,
  sealedSecrets,
  sealingNotes,
  secretsToBring,
  storeKeys,
  type StoreKeys,
} from "./secrets";
import { readKnown, type BackupStore, type Known } from "./settings";
import { lastSettings, openState, resourcesThere } from "./state";
import { choose, readManifest, survey, type BackupManifest, type Chosen, type Survey } from "./survey";
import type { Wanted } from "./wanted";

export interface CheckOptions {
  readonly stack: string;
  readonly state?: string;
  readonly secrets?: string;
  /** What opens the Secrets that are sealed in the repository. */
  readonly sealingKeys?: readonly SealingKey[];
  /** The newest that there is if left out. */
  readonly wanted?: Wanted;
}

/** The data that a recovery brings back, and what runs on it. */
export interface ChosenBackup {
  readonly chosen?: Chosen;
  readonly manifest?: BackupManifest;
  /** Whether the repository's version, image and schema stay: those of the archive are too old for the data. */
  readonly keepsImage: boolean;
}

/** Everything that a recovery needs, found and looked at; nothing was changed. */
export interface Checked extends ChosenBackup {
  readonly archive: FoundArchive;
  readonly known: Known;
  readonly secrets: readonly Secret[];
  readonly notes: readonly string[];
}

export interface CheckMeans {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** The new cluster. */
  connect(): Promise<FullApi>;
}

/** What could be recovered, for people; the cluster is not asked. */
export async function lookAt(
  { stack, state, secrets: path }: CheckOptions,
  { root, env }: CheckMeans,
): Promise<{ readonly archive: FoundArchive; readonly known: Known; readonly found?: Survey }> {
  const archive = await findArchive(root, stack, state, env);
  const known = knownOf(root, stack);
  if (known.backup === undefined) return { archive, known };
  const keys = storeKeys(known.outsideSecrets, path === undefined ? [] : readSecrets(path), env);
  return { archive, known, found: await survey(openBackups(known.backup.store, keys)) };
}

/** @throws UserError for the first thing that is not as it has to be */
export async function check(options: CheckOptions, means: CheckMeans): Promise<Checked> {
  const { root, env } = means;
  const { stack } = options;
  const archive = await findArchive(root, stack, options.state, env);
  if (archive.opens === false) {
    throw new UserError(
      `The passphrase at hand does not open the secrets of ${archive.from}. Give the one that it was encrypted with ` +
        "in PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or put it into .pulumi-state/passphrase.",
    );
  }
  const { outputs, keys } = await openState(root, archive, env);
  await refuseUsedBackend(root, stack, env);
  await refuseUsedCluster(outputs.namespaces, means, stack);
  const known = knownOf(root, stack);
  const { secrets, notes: sealing } = bringable(options, known, means);
  const backup = await findBackup(options, known, archive, keys, means);
  const warnings = describe(archive).filter((line) => line.startsWith("warning:"));
  const image = backup.keepsImage ? [keptImage(stack)] : [];
  return { archive, known, secrets, ...backup, notes: [...warnings, ...sealing, ...image] };
}

/** What is said where the archive's version does not become the repository's. */
export const keptImage = (stack: string): string =>
  `note: version, image and schema stay as Pulumi.${stack}.yaml has them: those of the archive are too old for the dump`;

/**
 * Another backup for a recovery that has begun.
 * @param archive its copy of the archive
 */
export async function chooseAnew(
  options: CheckOptions,
  archive: string,
  { root, env }: CheckMeans,
): Promise<ChosenBackup> {
  const { stack } = options;
  const found = await findArchive(root, stack, archive, env);
  const { keys } = await openState(root, found, env);
  return findBackup(options, knownOf(root, stack), found, keys, { root, env });
}

/**
 * What no state has and the new cluster needs.
 * @throws UserError naming what is missing, or cannot be used
 */
export function bringable(
  { stack, secrets: path, sealingKeys }: CheckOptions,
  { outsideSecrets, sealingNamespaces }: Known,
  { root, env }: Pick<CheckMeans, "root" | "env">,
): { readonly secrets: readonly Secret[]; readonly notes: readonly string[] } {
  const given = path === undefined ? [] : readSecrets(path);
  const sealed = sealedSecrets(root, stack, sealingNamespaces);
  return {
    secrets: secretsToBring(outsideSecrets, given, storeKeys(outsideSecrets, given, env), sealed),
    notes: sealingNotes(stack, sealed, sealingNamespaces, sealingKeys),
  };
}

/** The repository's settings: a new cluster has other addresses than the one that the archive was made on. */
export function knownOf(root: string, stack: string): Known {
  const path = stackFile(root, stack);
  return readKnown(readFileSync(path, "utf8"), path, projectName(root));
}

function openBackups(
  { bucket, prefix, region, endpoint }: BackupStore,
  keys: StoreKeys | undefined,
): Objects {
  const credentials =
    keys === undefined
      ? {}
      : { credentials: { accessKeyId: keys.access_key_id, secretAccessKey: keys.secret_access_key } };
  const elsewhere =
    endpoint === undefined
      ? {}
      : ({ endpoint, forcePathStyle: true, responseChecksumValidation: "WHEN_REQUIRED" } as const);
  return new Objects(
    { region, ...credentials, ...elsewhere },
    bucket,
    prefix === undefined ? "" : `${prefix}/`,
    "Check application.backup.store of the stack, that this machine reaches it, and its keys: AWS_ACCESS_KEY_ID and " +
      "AWS_SECRET_ACCESS_KEY in the environment, or the Secret in --secrets.",
  );
}

/** @param keys any of which may open the backup */
async function findBackup(
  { wanted = { kind: "latest" }, secrets }: CheckOptions,
  known: Known,
  archive: FoundArchive,
  keys: readonly string[],
  { root, env }: Pick<CheckMeans, "root" | "env">,
): Promise<ChosenBackup> {
  const { backup, databaseType, outsideSecrets } = known;
  if (wanted.kind === "none") return { keepsImage: false };
  if (backup === undefined) {
    throw new UserError(
      "The stack keeps no backups of its database (application.backup). " +
        (databaseType === "external"
          ? "The database is external: bring it back by its own means, and then run this with --snapshot none."
          : "With --snapshot none the platform comes back with an empty database."),
    );
  }
  if (databaseType === "external" && wanted.kind === "time") {
    throw new UserError(
      "The database is external, and so is its log: bring it back to that moment by its own means, and then run this " +
        "with --snapshot none; or choose a dump, which goes into an empty database.",
    );
  }
  const given = secrets === undefined ? [] : readSecrets(secrets);
  const bucket = openBackups(backup.store, storeKeys(outsideSecrets, given, env));
  const chosen = choose(wanted, await survey(bucket), backup.logged && databaseType === "inCluster");
  if (chosen === undefined) return { keepsImage: false };
  const manifest = await readManifest(bucket, chosen, keys);
  const then = applicationOf(lastSettings(archive), projectName(root));
  return { chosen, manifest, keepsImage: keepsImage(manifest, then.schemaRevision, known.schemaRevision) };
}

/**
 * Whether the repository's version runs on the data, and not the archive's: an older one knows nothing of its schema.
 * @param then the archive's revision
 * @param now the repository's
 * @throws UserError when neither fits
 */
export function keepsImage(
  { name, schemaRevision: revision, version }: BackupManifest,
  then: unknown,
  now: string | undefined,
): boolean {
  // Of a base backup it is not known before it runs.
  if (!revision || typeof then !== "string" || then >= revision) return false;
  if (now !== undefined && now >= revision) return true;
  throw new UserError(
    `The dump ${name} has the schema ${revision} of version ${version ?? "unknown"}; the archive's version is for ` +
      `${then} and the repository's for ${now ?? "none"}, so that neither can run on it. Put version, image and ` +
      "schemaRevision of a version that can into the stack's file, or choose an older dump.",
  );
}

async function refuseUsedBackend(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<void> {
  const there = await resourcesThere(root, stack, env);
  if (there === undefined || there === 0) return;
  throw new UserError(
    `The backend has ${there} resources of ${stack}: a recovery begins with none. If the cluster alone is gone, keep ` +
      `that state in an archive (npm run state -- backup --stack ${stack}) and give recover another backend in ` +
      `PULUMI_BACKEND_URL; if all of it may go: npm run destroy -- --stack ${stack}.`,
  );
}

async function refuseUsedCluster(namespaces: unknown, { connect }: CheckMeans, stack: string): Promise<void> {
  const names = Array.isArray(namespaces) ? namespaces.filter((name) => typeof name === "string") : [];
  const there = await namespacesThere(await connect(), names);
  if (there.length === 0) return;
  throw new UserError(
    `The cluster is not empty: it has ${there.join(", ")}. A recovery goes into a new cluster; if it is the one of ` +
      `another state of ${stack}, and may go: npm run destroy -- --stack ${stack}.`,
  );
}
