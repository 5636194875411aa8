import type { Settings } from "../config";

/** A Pod Security Standard that the API server holds a namespace's Pods to. */
export type PodSecurityStandard = "restricted" | "privileged";

/** Name of a namespace; addresses and certificates refer to it. */
export type NamespaceName = keyof Settings["cluster"]["quotas"];

export type NamespacesArgs = Pick<
  Settings,
  "argoRollouts" | "falco" | "monitoring" | "sealedSecrets" | "velero"
>;

/** The namespaces that the parts of a stack live in. Only Pods that look into their nodes need `privileged`. */
export function neededNamespaces(settings: NamespacesArgs): ReadonlyMap<NamespaceName, PodSecurityStandard> {
  const { argoRollouts, falco, monitoring, sealedSecrets, velero } = settings;
  const onNodes = (enabled: boolean) => (enabled ? "privileged" : "restricted");
  const standards: Record<NamespaceName, PodSecurityStandard | undefined> = {
    gateway: "restricted",
    inventory: "restricted",
    delivery: argoRollouts && "restricted",
    monitoring: monitoring && "restricted",
    logging: monitoring?.logs && "privileged",
    sealing: sealedSecrets && "restricted",
    falco: falco && onNodes(falco.sensor.enabled),
    backup: velero && onNodes(velero.nodeAgent.enabled),
  };
  const needed = Object.entries(standards).filter((entry) => entry[1] !== undefined);
  return new Map(needed as [NamespaceName, PodSecurityStandard][]);
}
