import { Writable } from "node:stream";
import { UserError } from "../engine/report";
import type { Target } from "../plugins/kubernetes/cluster/kubeconfig";

/** Runs a statement beside the database in the cluster, as its superuser; answers one line for each row. */
export function sqlIn(target: Target): (statement: string) => Promise<readonly string[]> {
  const options = [
    "--username=postgres",
    "--no-psqlrc",
    "--tuples-only",
    "--no-align",
    "--set=ON_ERROR_STOP=1",
  ];
  return async (statement) => {
    const command = ["psql", ...options, "--dbname=inventory", `--command=${statement}`];
    const output = await run(target, "inventory", "inventory-database-0", "postgresql", command);
    return output.split("\n").filter((line) => line !== "");
  };
}

async function run(
  { cluster, user, context }: Target,
  namespace: string,
  pod: string,
  container: string,
  command: string[],
): Promise<string> {
  const { Exec, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [cluster],
    users: user === undefined ? [] : [user],
    contexts: [context],
    currentContext: context.name,
  });
  const [out, err] = [collector(), collector()];
  return new Promise((resolve, reject) => {
    const ended = (status: { status?: string; message?: string }) => {
      if (status.status === "Success") resolve(out.text());
      else reject(new UserError(`The database could not be asked: ${err.text().trim() || status.message}`));
    };
    new Exec(config)
      .exec(namespace, pod, container, command, out.stream, err.stream, null, false, ended)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : "the API server refuses a session in its Pod";
        reject(new UserError(`The database could not be asked: ${reason}`));
      });
  });
}

function collector() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}
