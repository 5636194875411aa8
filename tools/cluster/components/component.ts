import type { ComponentProcess } from "../processes";

/** A program of the node with the files it reads and the address that tells whether it works. */
export interface Component extends ComponentProcess {
  /** Configuration under /etc/technova in the node, by file name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly health: HealthCheck;
  /** Resident memory counts towards the control plane or the node. */
  readonly part: "control plane" | "node";
}

/** Answers with a status below 400 when the component works. */
export type HealthCheck =
  | { readonly type: "http"; readonly url: string }
  /** TLS by the cluster's authority; the administrator's certificate is shown. */
  | { readonly type: "https"; readonly url: string }
  /** A request over a Unix socket of the node, by its path there. */
  | { readonly type: "socket"; readonly path: string; readonly url: string };

/** Folder of the components' configuration, as the node sees it. */
export const configFolder = "/etc/technova";
export const pkiFolder = `${configFolder}/pki`;

/** Flags as upstream's programs take them. */
export function flags(values: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}
