import type { input } from "@pulumi/kubernetes/types";
import type * as pulumi from "@pulumi/pulumi";
import type { Recovery } from "../../config/backup";
import type { Resources } from "../../config/values";
import { containerSecurity, resourceRequirements, temporaryMount } from "../../security";
import { commandContainer, type PodArgs } from "../workload";
import { backupRoleScript } from "./role";
import { backupMount, connectionMount, scriptPath, type BackupStore } from "./store";
import { replicationSlot } from "./walArchive";

/** What fills the database's empty volume before its first start. */
export interface TimeRecovery {
  readonly steps: readonly input.core.v1.Container[];
  readonly volumes: readonly input.core.v1.Volume[];
  readonly pullSecrets: readonly pulumi.Input<string>[];
  /** How long an update waits for it. */
  readonly timeouts: pulumi.CustomTimeouts;
  /** Left out where the database's own account will do. */
  readonly serviceAccountName?: pulumi.Input<string>;
}

export interface TimeRecoveryArgs {
  readonly application: string;
  readonly store: BackupStore;
  /** The service's image. */
  readonly image: pulumi.Input<string>;
  readonly pullSecrets: readonly pulumi.Input<string>[];
  /** "latest", or a point in time. */
  readonly time: string;
  /** Whether the end of the log will do where it has no change as late as that. */
  readonly orEnd?: boolean;
  readonly resources: Resources;
  /** Where the database's Pod has its volume, and its passwords. */
  readonly dataPath: string;
  readonly secretPath: string;
}

/**
 * Brings an empty volume to a time, in containers that come before the server: what they have not finished, the next
 * try begins anew. On a volume that has a database they do nothing.
 */
export function timeRecovery(args: TimeRecoveryArgs): TimeRecovery {
  const { store, dataPath, secretPath } = args;
  const data = { name: "data", mountPath: dataPath };
  const fetch: input.core.v1.Container = {
    name: "fetch",
    image: args.image,
    imagePullPolicy: "IfNotPresent",
    command: store.command("recover-base", "--data", dataPath, "--time", args.time),
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: resourceRequirements(args.resources),
    securityContext: containerSecurity,
    volumeMounts: [temporaryMount, data, ...store.mounts],
  };
  const patience = `${store.settings.timeoutSeconds + 600}s`;
  const afterwards = "/tmp/afterwards.sql";
  const replay = store.script("replay", "recover.sh", [], {
    mounts: [data, { name: "passwords", mountPath: secretPath, readOnly: true }],
    env: [{ name: "AFTERWARDS", value: passwordsScript(args.application, secretPath) }],
    resources: resourceRequirements(args.resources),
  });
  const parameters = [dataPath, args.application, afterwards, ...(args.orEnd ? ["or-end"] : [])];
  const script = `printf '%s' "$AFTERWARDS" >${afterwards} && exec sh ${scriptPath("recover.sh")} ${parameters.join(" ")}`;
  return {
    steps: [fetch, { ...replay, command: ["sh", "-euc", script] }],
    volumes: store.volumes,
    pullSecrets: args.pullSecrets,
    // What Pulumi waits by itself, and what the recovery may take.
    timeouts: { create: patience, update: patience },
    serviceAccountName: store.knowsAccount ? store.serviceAccountName : undefined,
  };
}

/**
 * The roles as this stack has them, whatever their passwords were, and the slot from which the log goes on without a
 * gap. No password is in it.
 */
function passwordsScript(application: string, secretPath: string): string {
  const reset = (file: string, role: string) => `\\set password \`cat ${secretPath}/${file}\`
ALTER ROLE "${role}" PASSWORD :'password';
`;
  return `${reset("superuser", "postgres")}${reset("application", application)}${backupRoleScript}
SELECT pg_create_physical_replication_slot('${replicationSlot}', true)
  WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '${replicationSlot}');
`;
}

export interface DumpRecovery {
  readonly steps: input.core.v1.Container[];
  readonly volumes: input.core.v1.Volume[];
  /** How long it may take, beyond what the migration may. */
  readonly timeoutSeconds: number;
}

export const noRecovery: DumpRecovery = { steps: [], volumes: [], timeoutSeconds: 0 };

/** What fills an empty database before its schema is brought to the release's revision. */
export function dumpRecoverySteps(
  pod: PodArgs,
  store: BackupStore,
  recovery: Recovery | undefined,
): DumpRecovery {
  if (recovery === undefined || !("snapshot" in recovery)) return noRecovery;
  const options = ["--plan", connectionMount.mountPath, "--folder", backupMount.mountPath];
  const mounts = [backupMount, connectionMount];
  const fetch = commandContainer(pod, "fetch-backup", {
    command: store.command("recover-dump", ...options, "--name", recovery.snapshot),
    mounts: [...mounts, ...store.mounts],
  });
  const parameters = [connectionMount.mountPath, backupMount.mountPath];
  const restore = store.script("restore-backup", "recover-dump.sh", parameters, { mounts });
  const volumes = [...store.volumes, ...store.scratch];
  return { steps: [fetch, restore], volumes, timeoutSeconds: store.settings.timeoutSeconds };
}
