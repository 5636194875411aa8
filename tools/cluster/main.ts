import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { down } from "./down";
import { ClusterError } from "./errors";
import { loadImage } from "./images/load";
import { clusterPaths } from "./paths";
import { logFile } from "./processes";
import { clusterStatus, formatStatus } from "./status";
import { up } from "./up";

export { down, up };

/** The commands of the embedded Kubernetes, for the platform's command line. */
export function clusterCommand(): Command {
  const command = new Command("cluster").description(
    "the embedded single-node Kubernetes; its folder is TECHNOVA_CLUSTER_DIR (default: /var/lib/technova-cluster)",
  );
  command
    .command("up")
    .description("bring the cluster up, or what of it is missing")
    .action(() => up());
  command
    .command("down")
    .description("end the cluster and remove all it had, but for its cache")
    .action(() => down());
  command
    .command("status")
    .description("show every component; exit code 1 unless all of them work")
    .option("--json", "print it as JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const status = await clusterStatus();
      process.stdout.write(`${json ? JSON.stringify(status, undefined, 2) : formatStatus(status)}\n`);
      if (!status.up) process.exitCode = 1;
    });
  command
    .command("kubeconfig")
    .description("print the administrator's client configuration")
    .option("--path", "print the path of the file instead")
    .action(({ path }: { path?: boolean }) => {
      const { kubeconfig } = clusterPaths();
      if (!existsSync(kubeconfig)) throw notUp();
      process.stdout.write(path ? `${kubeconfig}\n` : readFileSync(kubeconfig, "utf8"));
    });
  command
    .command("logs <component>")
    .description("print the log of a component of `status`, or `audit` or `node`")
    .option("-f, --follow", "go on printing what is added")
    .option("-n, --lines <count>", "how many of the last lines", "200")
    .action((component: string, { follow, lines }: { follow?: boolean; lines: string }) =>
      showLog(component, lines, follow ?? false),
    );
  command
    .command("load-image <image>")
    .description(
      "push an image to the cluster's registry: a name that dockerd knows, or a docker or OCI archive",
    )
    .action((image: string) => loadImage(image));
  return command;
}

function showLog(component: string, lines: string, follow: boolean): Promise<void> {
  const file = logFile(clusterPaths(), component);
  if (!existsSync(file)) throw new ClusterError(`There is no log of ${component}: ${file} does not exist.`);
  if (!/^\d+$/.test(lines)) throw new ClusterError(`--lines takes a number, not ${lines}.`);
  return new Promise((resolve, reject) => {
    const child = spawn("tail", ["-n", lines, ...(follow ? ["-F"] : []), file], { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", () => resolve());
  });
}

function notUp(): ClusterError {
  return new ClusterError("The cluster is not up. Start it with `npm run cluster -- up`.");
}

if (require.main === module) {
  clusterCommand()
    .parseAsync()
    .catch((error: unknown) => {
      const text =
        error instanceof ClusterError ? error.message : error instanceof Error ? error.stack : error;
      process.stderr.write(`${String(text)}\n`);
      process.exit(1);
    });
}
