import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { clusterPaths } from "../../../tools/cluster/paths";
import { kubectl } from "../support/cluster";

/** A Secret's value is in none of etcd's files; a ConfigMap's is, so that the search is known to find what is there. */
export async function secretsAreEncrypted(): Promise<void> {
  const [secret, plain] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")];
  const name = "e2e-encryption";
  const inNamespace = ["-n", "default"];
  await kubectl("create", "secret", "generic", name, ...inNamespace, `--from-literal=value=${secret}`);
  await kubectl("create", "configmap", name, ...inNamespace, `--from-literal=value=${plain}`);
  try {
    const read = await kubectl("get", "secret", name, ...inNamespace, "-o", "jsonpath={.data.value}");
    expect(Buffer.from(read, "base64").toString()).to.equal(secret);
    expect(holds(plain), "the value of the ConfigMap").to.equal(true);
    expect(holds(secret), "the value of the Secret").to.equal(false);
    expect(holds(read), "the value of the Secret in base64").to.equal(false);
  } finally {
    await kubectl("delete", "secret,configmap", name, ...inNamespace);
  }
}

function holds(text: string): boolean {
  try {
    execFileSync("grep", ["-r", "-q", "-a", "-F", "--", text, `${clusterPaths().var}/lib/etcd`]);
    return true;
  } catch (error) {
    if ((error as { status?: number }).status === 1) return false;
    throw error;
  }
}
