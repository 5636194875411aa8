import { join } from "node:path";
import { auditCommand } from "../../../tools/audit/main";
import { checkoutWith, write } from "../engine/support";
import { FakeLoki } from "./fakeLoki";

/** A checkout with a stack `staging` whose cluster is there as far as its Loki is. */
export interface Place {
  readonly loki: FakeLoki;
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

// The client takes a while to load; that is no test's business.
before(async function () {
  this.timeout(60_000);
  await import("@kubernetes/client-node");
});

const started: FakeLoki[] = [];
afterEach(() => Promise.all(started.splice(0).map((loki) => loki.stop())));

export async function place(monitoring = "{ logs: {} }"): Promise<Place> {
  const loki = new FakeLoki();
  started.push(loki);
  const server = await loki.start();
  const root = checkoutWith({
    "Pulumi.staging.yaml": `config: { kubernetes:context: far, "technova:monitoring": ${monitoring} }`,
  });
  const named = (name: string, value: object) => [{ name, ...value }];
  const kubeconfig = {
    clusters: named("c", { cluster: { server, "insecure-skip-tls-verify": true } }),
    users: named("u", { user: {} }),
    contexts: named("far", { context: { cluster: "c", user: "u" } }),
    "current-context": "",
  };
  const file = write(root, "kubeconfig", JSON.stringify(kubeconfig));
  return { loki, root, env: { KUBECONFIG: file, TECHNOVA_CLUSTER_DIR: join(root, "none"), HOME: root } };
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** Runs `npm run audit` as the command line would, on the stack `staging` unless it names another. */
export async function audit({ root, env }: Place, ...args: string[]): Promise<Outcome> {
  const out: string[] = [];
  const errors: string[] = [];
  const command = auditCommand(root, {
    env: { PULUMI_STACK: "staging", ...env },
    print: (text) => void out.push(text),
    columns: 120,
    exit: (code) => {
      throw new Exit(code);
    },
  });
  command.configureOutput({
    writeOut: (text) => void out.push(text),
    writeErr: (text) => void errors.push(text),
  });
  const result = (code: number) => ({ code, out: out.join("\n"), error: errors.join("\n") });
  try {
    await command.parseAsync(args, { from: "user" });
    return result(0);
  } catch (error) {
    if (error instanceof Exit) return result(error.code);
    errors.push(error instanceof Error ? error.message : String(error));
    return result(1);
  }
}

export const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

/** An event as the API server writes it, and the metadata that the collector takes out of it. */
export function auditEvent(change: {
  readonly who: string;
  readonly as?: string;
  readonly verb: string;
  readonly object: Readonly<Record<string, string>>;
  readonly code?: number;
  readonly id?: string;
  readonly uri?: string;
}): [line: object, metadata: Record<string, string>] {
  const { who, as, verb, object, code = 200, id, uri = "/apis" } = change;
  const { resource = "", subresource = "", name = "", namespace = "" } = object;
  const line = {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Request",
    auditID: id ?? `${who} ${verb} ${JSON.stringify(object)} ${uri}`,
    stage: "ResponseComplete",
    requestURI: uri,
    verb,
    user: { username: who, groups: ["system:authenticated"] },
    ...(as === undefined ? {} : { impersonatedUser: { username: as } }),
    sourceIPs: ["10.0.0.7"],
    userAgent: "kubectl/v1.34.3",
    objectRef: { apiVersion: "v1", ...object },
    responseStatus: { metadata: {}, code },
  };
  return [line, { who, verb, resource, subresource, name, namespace }];
}

export const kubernetesLabels = { job: "audit", source: "kubernetes" };
export const githubLabels = { job: "audit", source: "github" };
