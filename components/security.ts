import type { input } from "@pulumi/kubernetes/types";
import type { Resources, Spread } from "./config/values";

export interface PodSecurityArgs {
  /**
   * Whether Pods name the runtime's AppArmor profile. A node whose kernel has no AppArmor refuses those that do; where
   * it has, most runtimes confine Pods anyway, and this makes sure of it.
   */
  readonly appArmor: boolean;
}

/** The defaults that every Pod of the platform starts from; the restricted Pod Security Standard and more. */
export function podSecurity(user: number, args: PodSecurityArgs): input.core.v1.PodSecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    // Changing the owner of every file of a large volume would delay each start by minutes.
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
    ...appArmorProfile(args),
  };
}

/** The part of a Pod's security context that a Pod which is not like others needs as well. */
export function appArmorProfile({ appArmor }: PodSecurityArgs): input.core.v1.PodSecurityContext {
  return appArmor ? { appArmorProfile: { type: "RuntimeDefault" } } : {};
}

/** The same for a container: nothing to write to but mounted volumes, and no way to more rights. */
export const containerSecurity: Readonly<input.core.v1.SecurityContext> = {
  runAsNonRoot: true,
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/** A copy that the provider may take as its own: settings are shared and must not change. */
export function resourceRequirements({ requests, limits }: Resources): input.core.v1.ResourceRequirements {
  return { requests: { ...requests }, limits: { ...limits } };
}

/**
 * Keeps the Pods of a workload on different nodes and zones.
 * @param versionLabel label that the workload's controller tells the versions apart by
 */
export function topologySpread(
  { nodes, zones }: Spread,
  matchLabels: Record<string, string>,
  versionLabel = "pod-template-hash",
): input.core.v1.TopologySpreadConstraint[] {
  const constraint = (topologyKey: string, need: "preferred" | "required") => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: need === "required" ? "DoNotSchedule" : "ScheduleAnyway",
    labelSelector: { matchLabels },
    // Pods of the outgoing version must not decide where those of the incoming one go.
    matchLabelKeys: [versionLabel],
  });
  return [
    constraint("kubernetes.io/hostname", nodes),
    ...(zones === "none" ? [] : [constraint("topology.kubernetes.io/zone", zones)]),
  ];
}

/** The one directory that a read-only container may write to. */
export function temporaryVolume(sizeLimit: string): input.core.v1.Volume {
  return { name: "tmp", emptyDir: { sizeLimit } };
}

/** Volumes of upstream's, of which those for scratch space get a limit. */
export function withBoundedScratch(
  volumes: readonly input.core.v1.Volume[],
  sizeLimit: string,
): input.core.v1.Volume[] {
  return volumes.map((volume) =>
    volume.emptyDir === undefined ? volume : { ...volume, emptyDir: { sizeLimit } },
  );
}

export const temporaryMount: Readonly<input.core.v1.VolumeMount> = { name: "tmp", mountPath: "/tmp" };
