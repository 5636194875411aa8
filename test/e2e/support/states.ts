import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { kubectl } from "./cluster";
import { checkout } from "./command";
import { sql } from "./database";

/** What a rollback brings back, as far as it can be seen from outside. A secret is known by its digest alone. */
export interface SeenState {
  readonly version: string;
  /** Image of the Pods that serve, by digest. */
  readonly image: string;
  readonly schemaRevision: string;
  readonly strategy: string;
  readonly rateLimitPerMinute: string;
  /** SHA-256 of what the Pods' image is pulled with. */
  readonly secret: string;
  /** The stack's file, without the image: that says the same in two ways. */
  readonly settings: Readonly<Record<string, unknown>>;
}

interface Settings {
  readonly config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The state of the local stack: its settings, and what runs and is stored in the cluster. */
export async function seenState(): Promise<SeenState> {
  const pod = await servingPod();
  const { config } = parse(readFileSync(join(checkout, "Pulumi.local.yaml"), "utf8")) as Settings;
  const application = { ...config["technova:application"], image: undefined };
  // Ciphertexts are other ones each time; their values are compared where they are used.
  const plain = { ...config, "technova:application": application, "technova:secrets": undefined };
  const environment = await inPod(pod, "env");
  const [schemaRevision = ""] = await sql("SELECT version_num FROM alembic_version");
  return {
    version: /^INVENTORY_VERSION=(.*)$/m.exec(environment)?.[1] ?? "",
    image: (await podField(pod, "{.status.containerStatuses[0].imageID}")).replace(/^.*@/, ""),
    schemaRevision,
    strategy: await strategyOf(),
    rateLimitPerMinute: /^INVENTORY_RATE_LIMIT_PER_MINUTE=(.*)$/m.exec(environment)?.[1] ?? "",
    secret: await secretDigest(pod),
    settings: plain,
  };
}

async function servingPod(): Promise<string> {
  const stable = await kubectl(
    ...["get", "rollout", "inventory", "-n", "inventory", "-o", "jsonpath={.status.stableRS}"],
  );
  const pods = await kubectl(
    ...["get", "pods", "-n", "inventory", "-l", `rollouts-pod-template-hash=${stable}`],
    ...["--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].metadata.name}"],
  );
  const [pod] = pods.split(" ");
  if (!pod) throw new Error(`no Pod of version ${stable} runs`);
  return pod;
}

const inPod = (pod: string, ...command: string[]) =>
  kubectl("exec", "-n", "inventory", pod, "--", ...command);

const podField = (pod: string, path: string) =>
  kubectl("get", "pod", pod, "-n", "inventory", "-o", `jsonpath=${path}`);

async function strategyOf(): Promise<string> {
  const text = await kubectl(
    ...["get", "rollout", "inventory", "-n", "inventory", "-o", "jsonpath={.spec.strategy}"],
  );
  return text.includes("blueGreen") ? "blueGreen" : text.includes("trafficRouting") ? "canary" : "rolling";
}

/** What the kubelet pulls a Pod's image with; compared by its digest, never printed. */
async function secretDigest(pod: string): Promise<string> {
  const name = await podField(pod, "{.spec.imagePullSecrets[0].name}");
  const text = await kubectl("get", "secret", name, "-n", "inventory", "-o", "jsonpath={.data}");
  return createHash("sha256").update(text).digest("hex");
}
