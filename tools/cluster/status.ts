import { existsSync } from "node:fs";
import { AdminClient } from "./api";
import { declaredComponents } from "./components";
import { isHealthy } from "./health";
import { isNodeReady } from "./manifests";
import { nodeInit } from "./node";
import { clusterPaths } from "./paths";
import { residentBytes, uptimeSeconds } from "./proc";
import { runningRecord } from "./processes";

export interface ComponentStatus {
  readonly name: string;
  readonly part: "control plane" | "node";
  readonly running: boolean;
  readonly healthy: boolean;
  readonly pid?: number;
  readonly memoryBytes: number;
  readonly uptimeSeconds?: number;
}

export interface ClusterStatus {
  /** Everything runs, is healthy, and the node is ready for pods. */
  readonly up: boolean;
  readonly folder: string;
  readonly nodeReady: boolean;
  readonly memoryBytes: number;
  readonly components: readonly ComponentStatus[];
}

export async function clusterStatus(): Promise<ClusterStatus> {
  const paths = clusterPaths();
  const present = nodeInit(paths) !== undefined && existsSync(paths.kubeconfig);
  const client = present ? new AdminClient(paths.pki) : undefined;
  try {
    const components = await Promise.all(
      Object.values(declaredComponents(paths)).map(async (component): Promise<ComponentStatus> => {
        const record = runningRecord(paths, component.name);
        const { name, part } = component;
        if (record === undefined || client === undefined) {
          return { name, part, running: false, healthy: false, memoryBytes: 0 };
        }
        return {
          name,
          part,
          running: true,
          healthy: await isHealthy(component, paths, client),
          pid: record.pid,
          memoryBytes: residentBytes(record.pid),
          uptimeSeconds: uptimeSeconds(record),
        };
      }),
    );
    const nodeReady = client !== undefined && (await isNodeReady(client).catch(() => false));
    return {
      up: nodeReady && components.every(({ healthy }) => healthy),
      folder: paths.root,
      nodeReady,
      memoryBytes: components.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      components,
    };
  } finally {
    client?.close();
  }
}

/** The status as a table for people. */
export function formatStatus(status: ClusterStatus): string {
  const rows = status.components.map((component) => [
    component.name,
    component.healthy ? "healthy" : component.running ? "not healthy" : "not running",
    component.pid === undefined ? "" : String(component.pid),
    component.memoryBytes === 0 ? "" : mebibytes(component.memoryBytes),
    component.uptimeSeconds === undefined ? "" : duration(component.uptimeSeconds),
  ]);
  const table = [["component", "state", "pid", "memory", "up for"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const node = status.nodeReady ? "ready" : "not ready";
  return [...lines, "", `node ${node}, ${mebibytes(status.memoryBytes)} in all, in ${status.folder}`].join(
    "\n",
  );
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

/** Such as `3 d 4 h`, `12 min` or `8 s`. */
export function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}
