import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterEnvironment } from "../../tools/cluster/environment";
import { projectRoot } from "../../tools/engine/project";
import { command } from "./engine";
import { seconds, table, timed } from "./measure";

interface Status {
  readonly components: readonly { readonly name: string; readonly memoryBytes?: number }[];
}

function memoryMiB(): string {
  const { components } = JSON.parse(command("cluster", "status", "--json").stdout) as Status;
  const bytes = components.reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0);
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function requireNoCluster(): void {
  if (Object.keys(clusterEnvironment()).length === 0) return;
  throw new Error("the embedded cluster is up and would be removed: npm run cluster -- down first");
}

/** Bringing the cluster up from cached builds, again when it is up, and what it weighs at rest. */
export async function cluster(): Promise<void> {
  requireNoCluster();
  const rows = [["embedded cluster", "time", "resident memory"]];
  try {
    const warm = command("cluster", "up").seconds;
    rows.push(["up, builds cached", seconds(warm), memoryMiB()]);
    rows.push(["up again, nothing to do", seconds(command("cluster", "up").seconds), ""]);
  } finally {
    rows.push(["down", seconds(command("cluster", "down").seconds), ""]);
  }
  table(rows);
}

/** Bringing the cluster up with every cache empty. */
export async function clusterCold(): Promise<void> {
  requireNoCluster();
  const empty = mkdtempSync(join(tmpdir(), "technova-cold-"));
  const env = {
    ...process.env,
    XDG_CACHE_HOME: empty,
    GOCACHE: join(empty, "go-build"),
    GOMODCACHE: join(empty, "go-mod"),
  };
  const run = (...args: readonly string[]) =>
    timed(process.execPath, ["tools/bootstrap.mjs", ...args], { cwd: projectRoot, env });
  const rows = [["embedded cluster", "time", "resident memory"]];
  try {
    rows.push(["up, every cache empty", seconds(run("cluster", "up").seconds), memoryMiB()]);
  } finally {
    run("cluster", "down");
    timed("chmod", ["-R", "u+w", empty]);
    rmSync(empty, { recursive: true, force: true });
  }
  table(rows);
}
