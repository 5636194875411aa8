import { usesEmbeddedCluster } from "../engine/cluster";
import { field, list, text } from "../plugins/kubernetes/object";
import { placeOf } from "./cluster";
import { answer, counted, off, Unanswered, type Answer } from "./control";
import type { Evidence } from "./evidence";

/** What the API server calls it when a kind is read or written as it is. */
const unencrypted = ["identity", ""];

/**
 * The API server counts what it has read and written of each kind by the prefix of what encrypts it, such as
 * `k8s:enc:secretbox:v1:`, and once more by the name of the key.
 */
export async function encryptedAtRest(evidence: Evidence): Promise<Answer> {
  const metrics = String((await evidence.cluster.api.get("/metrics")) ?? "");
  const lines = metrics
    .split("\n")
    .filter((line) => /^apiserver_storage_transformation_operations_total\{/.test(line))
    .filter((line) => /\bresource="secrets"/.test(line) && /\bstatus="OK"/.test(line));
  const prefixes = new Set(lines.map((line) => /transformer_prefix="([^"]*)"/.exec(line)?.[1] ?? ""));
  const looked = "apiserver_storage_transformation_operations_total of the API server";
  const encrypting = [...prefixes].filter((prefix) => prefix.startsWith("k8s:enc:"));
  const plain = unencrypted.some((prefix) => prefixes.has(prefix));
  if (plain || encrypting.length > 0) {
    const problems = plain ? ["Secrets are read or written as they are"] : [];
    return answer(`${looked}: ${encrypting.join(", ") || "no encryption"}`, problems);
  }
  if (usesEmbeddedCluster(evidence.sources.root, evidence.stack))
    return answer(looked, ["the API server encrypts no Secret"]);
  throw new Unanswered(
    "the API server encrypts nothing itself; whether its disks are, only who runs it can say",
  );
}

/** The controller runs, and every SealedSecret of the state is there and opened, as are all others. */
export async function sealed(evidence: Evidence): Promise<Answer> {
  if (
    evidence.setting("sealedSecrets") === undefined ||
    evidence.setting("sealedSecrets", "enabled") === false
  )
    return off(`technova:sealedSecrets is not set in Pulumi.${evidence.stack}.yaml`);
  const controllers = await evidence.cluster.list("Deployment", "sealing");
  const down = controllers.filter((each) => Number(field(each, "status", "readyReplicas") ?? 0) === 0);
  const secrets = await evidence.cluster.listIn("SealedSecret", evidence.namespaces());
  const there = new Set(secrets.map(placeOf));
  const missing = evidence
    .objects("SealedSecret")
    .map(placeOf)
    .filter((place) => !there.has(place));
  const closed = secrets.filter(
    (each) =>
      !list(each, "status", "conditions").some(
        (condition) => text(condition, "type") === "Synced" && text(condition, "status") === "True",
      ),
  );
  return answer(`${counted(controllers.length, "controller")}, ${counted(secrets.length, "SealedSecret")}`, [
    ...(controllers.length === 0 ? ["there is no controller in sealing"] : []),
    ...down.map((each) => `Deployment ${placeOf(each)} has no Pod that is ready`),
    ...missing.map((place) => `SealedSecret ${place} is not there`),
    ...closed.map((each) => `SealedSecret ${placeOf(each)} was not opened`),
  ]);
}
