import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { prometheusPath } from "../../../tools/release/prometheus";

type Json = Record<string, unknown>;
interface Stored extends Json {
  metadata: Json & { resourceVersion: string; generation?: number };
}

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: unknown;
  readonly fieldManager?: string;
}

export const rolloutPath = "/apis/argoproj.io/v1alpha1/namespaces/inventory/rollouts/inventory";
export const recordsPath = "/api/v1/namespaces/inventory/configmaps/inventory-releases";
const samplesPath = `${prometheusPath}/otlp/v1/metrics`;
const listPaths = {
  "/apis/apps/v1/namespaces/inventory/replicasets": "replicaSets",
  "/apis/argoproj.io/v1alpha1/namespaces/inventory/analysisruns": "analysisRuns",
} as const;

/** An API server with one Rollout: it merges patches, counts versions and refuses what is out of date. */
export class FakeApi {
  readonly objects = new Map<string, Stored>();
  readonly lists = { replicaSets: [] as unknown[], analysisRuns: [] as unknown[] };
  readonly patches: Received[] = [];
  /** What Prometheus was given, where there is one. */
  readonly samples: unknown[] = [];
  measures = true;
  /** Called before a patch is carried out, as if somebody else had been faster. */
  beforePatch: (path: string) => void = () => undefined;
  /** Called after each patch of the Rollout, in the controller's place. */
  controller: (rollout: Json) => void = () => undefined;
  /** Status codes to answer the next requests with. */
  readonly failures: number[] = [];
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<unknown> {
    return new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  put(path: string, object: object): void {
    const metadata = { resourceVersion: "1", ...(object as { metadata?: object }).metadata };
    this.objects.set(path, { ...structuredClone(object), metadata });
  }

  get(path: string): Stored {
    const found = this.objects.get(path);
    if (found === undefined) throw new Error(`the fake has no ${path}`);
    return found;
  }

  /** Changes an object as somebody else would. */
  touch(path: string, change: (object: Stored) => void): void {
    const object = this.get(path);
    change(object);
    object.metadata.resourceVersion = String(Number(object.metadata.resourceVersion) + 1);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [path = "", query] = (request.url ?? "").split("?");
    const send = (code: number, body: unknown) => {
      response.writeHead(code, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const refuse = (code: number, reason: string) =>
      send(code, { kind: "Status", code, reason, message: reason });
    const failure = this.failures.shift();
    if (failure !== undefined) return refuse(failure, "Forbidden");
    if (request.method === "PATCH") {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      const contentType = request.headers["content-type"] ?? "";
      const fieldManager = new URLSearchParams(query).get("fieldManager") ?? undefined;
      this.patches.push({ method: "PATCH", path, contentType, body, fieldManager });
      this.beforePatch(path);
      const code = this.patch(path, contentType, body);
      return code === 200 ? send(200, this.get(path.replace(/\/status$/, ""))) : refuse(code, "Conflict");
    }
    if (request.method === "POST" && path === samplesPath && this.measures) {
      this.samples.push(JSON.parse(Buffer.concat(chunks).toString()));
      return send(200, {});
    }
    const list = listPaths[path as keyof typeof listPaths];
    if (list !== undefined) return send(200, { items: this.lists[list] });
    if (path === "/apis/argoproj.io/v1alpha1" && this.objects.has(path)) return send(200, {});
    const found = this.objects.get(path);
    return found === undefined ? refuse(404, "NotFound") : send(200, found);
  }

  private patch(path: string, contentType: string, body: unknown): number {
    const half = path.endsWith("/status") ? "status" : "spec";
    const name = path.replace(/\/status$/, "");
    const before = this.objects.get(name);
    if (before === undefined) return 404;
    const after = structuredClone(before);
    if (contentType === "application/json-patch+json") {
      for (const operation of body as Operation[]) if (!apply(after, operation)) return 422;
    } else {
      const { resourceVersion } = (body as { metadata?: Json }).metadata ?? {};
      if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) return 409;
      merge(after, body as Json);
    }
    // The API server keeps the two halves apart.
    if (name === rolloutPath)
      after[half === "spec" ? "status" : "spec"] = before[half === "spec" ? "status" : "spec"];
    after.metadata.resourceVersion = String(Number(before.metadata.resourceVersion) + 1);
    if (!isDeepStrictEqual(after.spec, before.spec)) {
      after.metadata.generation = (before.metadata.generation ?? 0) + 1;
    }
    this.objects.set(name, after);
    if (name === rolloutPath) this.controller(after);
    return 200;
  }
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

function apply(object: Json, { op, path, value }: Operation): boolean {
  const keys = path
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop() ?? "";
  const parent = keys.reduce<Json | undefined>((at, key) => at?.[key] as Json | undefined, object);
  if (parent === undefined) return false;
  if (op === "test") return isDeepStrictEqual(parent[last], value);
  if (op === "replace" && !(last in parent)) return false;
  parent[last] = value;
  return true;
}

function merge(target: Json, patch: Json): void {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(target, key);
    else if (typeof value === "object" && !Array.isArray(value)) {
      target[key] ??= {};
      merge(target[key] as Json, value as Json);
    } else target[key] = value;
  }
}
