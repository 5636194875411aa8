import { kubectl } from "./cluster";

const namespace = "inventory";
const database = "inventory";

/** Runs one of PostgreSQL's programs beside the server, as its superuser. */
function inPod(...command: string[]): Promise<string> {
  return kubectl("exec", "--namespace", namespace, "inventory-database-0", "--", ...command);
}

/** Runs a statement; answers one line for each row, values separated by `|`. */
export async function sql(statement: string, on = database): Promise<string[]> {
  const options = [
    "--username=postgres",
    "--no-psqlrc",
    "--tuples-only",
    "--no-align",
    "--set=ON_ERROR_STOP=1",
  ];
  const output = await inPod("psql", ...options, `--dbname=${on}`, `--command=${statement}`);
  return output.split("\n").filter((line) => line !== "");
}

/** Schema and data as SQL: the same text means the same database, whatever the order of rows in a table. */
export async function dumpDatabase(): Promise<string> {
  const dump = (...options: string[]) =>
    inPod("pg_dump", "--username=postgres", `--dbname=${database}`, ...options).then((text) =>
      // Comments have versions, and the restrict lines a token that is another one each time.
      text.split("\n").filter((line) => line !== "" && !/^(--|\\(un)?restrict)/.test(line)),
    );
  const schema = await dump("--schema-only");
  const data = await dump("--data-only", "--inserts");
  return [...schema, ...data.sort()].join("\n");
}

/** Drops the database, whoever is connected, and makes an empty one of the same name. */
export async function emptyDatabase(): Promise<void> {
  await sql(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`, "postgres");
  await sql(`CREATE DATABASE "${database}" OWNER "${database}"`, "postgres");
  await sql(`REVOKE ALL ON DATABASE "${database}" FROM PUBLIC`, "postgres");
}

/** Names of all snapshots on the volume, oldest first: a restore of none of them names them, and changes nothing. */
export async function snapshotNames(): Promise<string[]> {
  const told = await restore("none.dump", "Failed");
  return [...told.matchAll(/inventory-\S+\.dump/g)].map(([name]) => name);
}

/** Restores a snapshot as the README says; answers what the Job printed. The database has to be empty. */
export function restoreIntoEmpty(snapshotFile: string): Promise<string> {
  return restore(snapshotFile, "Complete");
}

async function restore(snapshotFile: string, outcome: "Complete" | "Failed"): Promise<string> {
  const job = `restore-${Date.now()}`;
  const inNamespace = ["--namespace", namespace];
  await kubectl("delete", "configmap", "inventory-restore", ...inNamespace, "--ignore-not-found");
  await kubectl(
    ...[
      "create",
      "configmap",
      "inventory-restore",
      ...inNamespace,
      `--from-literal=snapshot=${snapshotFile}`,
    ],
  );
  await kubectl("create", "job", job, ...inNamespace, "--from=cronjob/inventory-restore");
  await kubectl("wait", `job/${job}`, ...inNamespace, `--for=condition=${outcome}`, "--timeout=180s");
  return kubectl("logs", `job/${job}`, ...inNamespace);
}
