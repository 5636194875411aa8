import type { Identity } from "../../labels";

/** Name of the namespace of everything that Velero brings. */
export const backupNamespace = "backup";

/** Every Pod of Velero's, those included that it makes itself, by the one label that they share. */
export const veleroLabels: Readonly<Record<string, string>> = { "app.kubernetes.io/name": "velero" };

const part = (component: string): Identity => ({ name: "velero", component });

export const serverIdentity = part("backup-server");
export const nodeAgentIdentity = part("node-agent");
/** What copies one volume, and what tidies up a store: Pods that Velero makes. */
export const moverIdentity = part("volume-mover");
export const maintenanceIdentity = part("store-maintenance");

/** Where server and node agents answer for their metrics. */
export const veleroPort = 8085;
