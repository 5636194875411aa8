import { readFileSync } from "node:fs";
import { projectName, stackFile } from "../engine/project";
import { UserError } from "../engine/report";
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
import { openState, resourcesThere } from "./state";
import { choose, readManifest, survey, type BackupManifest, type Chosen, type Survey } from "./survey";
import type { Wanted } from "./wanted";

export interface CheckOptions {
  readonly stack: string;
  readonly state?: string;
  readonly secrets?: string;
  /** What opens the Secrets that are sealed in the repository. */
  readonly sealingKeys?: readonly SealingKey[];
  readonly wanted: Wanted;
}

/** Everything that a recovery needs, found and looked at; nothing was changed. */
export interface Checked {
  readonly archive: FoundArchive;
  readonly known: Known;
  readonly chosen?: Chosen;
  readonly manifest?: BackupManifest;
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
  const { stack, wanted } = options;
  const given = options.secrets === undefined ? [] : readSecrets(options.secrets);
  const archive = await findArchive(root, stack, options.state, env);
  if (archive.opens === false) {
    throw new UserError(
      `The passphrase at hand does not open the secrets of ${archive.from}. Give the one that it was encrypted with ` +
        "in PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or put it into .pulumi-state/passphrase.",
    );
  }
  const { outputs, keys: backupKeys } = await openState(root, archive, env);
  await refuseUsedBackend(root, stack, env);
  await refuseUsedCluster(outputs.namespaces, means, stack);
  const known = knownOf(root, stack);
  const keys = storeKeys(known.outsideSecrets, given, env);
  const { secrets, notes: sealing } = bringable(options, known, means);
  const notes = [...describe(archive).filter((line) => line.startsWith("warning:")), ...sealing];
  if (wanted.kind === "none") return { archive, known, secrets, notes };
  const { chosen, manifest } = await findBackup(wanted, known, keys, backupKeys);
  return { archive, known, chosen, manifest, secrets, notes };
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

async function findBackup(
  wanted: Wanted,
  { backup, databaseType }: Known,
  keys: StoreKeys | undefined,
  backupKeys: readonly string[],
): Promise<{ chosen?: Chosen; manifest?: BackupManifest }> {
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
  const bucket = openBackups(backup.store, keys);
  const chosen = choose(wanted, await survey(bucket), backup.logged && databaseType === "inCluster");
  if (chosen === undefined) return {};
  return { chosen, manifest: await readManifest(bucket, chosen, backupKeys) };
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
