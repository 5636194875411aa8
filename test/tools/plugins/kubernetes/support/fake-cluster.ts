import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PropertyMap } from "../../../../../tools/plugins/rpc/values";
import { nameOf, type KubeObject } from "../../../../../tools/plugins/kubernetes/object";
import { Refusal } from "./fake-answers";
import { FakeStore, type Call } from "./fake-store";

/** What to do instead of answering: `"reset"` cuts the connection, `"reset-after"` first does what was asked. */
export type Fault =
  "reset" | "reset-after" | { code: number; reason: string; message: string; retryAfter?: number };

/**
 * An API server in this process, as far as the provider can tell: discovery, namespaces, server-side apply with
 * conflicts, dry runs, immutable fields, finalizers. Controllers are what a test says they are.
 */
export class FakeCluster extends FakeStore {
  readonly calls: Call[] = [];
  /** Asked before each call. */
  fault: (call: Call) => Fault | undefined = () => undefined;

  private readonly server: Server = createServer((request, response) => void this.serve(request, response));

  static async start(): Promise<FakeCluster> {
    const cluster = new FakeCluster();
    await new Promise<void>((resolve) => cluster.server.listen(0, "127.0.0.1", resolve));
    return cluster;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  get kubeconfig(): string {
    const { port } = this.server.address() as AddressInfo;
    const server = `http://127.0.0.1:${port}`;
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "fake",
      clusters: [{ name: "fake", cluster: { server, "insecure-skip-tls-verify": true } }],
      users: [{ name: "nobody", user: {} }],
      contexts: [{ name: "fake", context: { cluster: "fake", user: "nobody" } }],
    });
  }

  /** Writes that were carried out, by method and name. */
  writes(): string[] {
    return this.calls
      .filter(({ method, query }) => method !== "GET" && !query.has("dryRun"))
      .map(({ method, kind, name }) => `${method} ${kind} ${name}`);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as KubeObject) : {};
    const url = new URL(request.url ?? "/", "http://localhost");
    const target = this.target(url.pathname);
    const name = target?.name || nameOf(body);
    const call: Call = {
      method: request.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      kind: target?.kind.kind ?? "",
      name,
    };
    const fault = this.fault(call);
    if (fault === "reset") return void request.socket.destroy();
    this.calls.push(call);
    try {
      if (fault && fault !== "reset-after") {
        if (fault.retryAfter !== undefined) response.setHeader("retry-after", String(fault.retryAfter));
        throw new Refusal(fault.code, fault.reason, fault.message);
      }
      const answer = this.answer(call, body, target, request.headers["content-type"] ?? "");
      if (fault === "reset-after") return void request.socket.destroy();
      send(response, 200, answer);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, reason, message, details } = error;
      send(response, code, {
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        code,
        reason,
        message,
        details,
      });
    }
  }
}

function send(response: ServerResponse, code: number, body: PropertyMap): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
