import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FullApi } from "../../../tools/release/api";
import type { SealingKey } from "../../../tools/secrets/keys";

const namespace = "/api/v1/namespaces/sealing";
const encoded = (text: string) => Buffer.from(text).toString("base64");

interface Stored {
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

/** As much of a cluster as sealing needs: keys, the controller's Pods, and its certificate through the API server. */
export class FakeCluster implements FullApi {
  /** Objects by path. */
  readonly objects = new Map<string, Stored>();
  /** Method and path of each request, without parameters. */
  readonly requests: string[] = [];
  /** Everything that was sent, as it was. */
  readonly sent: string[] = [];
  /** What the controller answers. */
  certificate: string | undefined;
  private readonly server = createServer((request, response) => void this.answer(request, response));

  constructor(keys: readonly SealingKey[] = []) {
    for (const { name, state, certificate, privateKey } of keys) {
      this.put(`${namespace}/secrets/${name}`, {
        metadata: { name, labels: { "sealedsecrets.bitnami.com/sealed-secrets-key": state } },
        data: { "tls.crt": encoded(certificate), "tls.key": encoded(privateKey) },
      });
    }
    this.certificate = keys[0]?.certificate;
    const labels = {
      "app.kubernetes.io/name": "sealed-secrets",
      "app.kubernetes.io/component": "secret-controller",
    };
    this.put(`${namespace}/pods/sealed-secrets-1`, { metadata: { name: "sealed-secrets-1", labels } });
    this.put(`${namespace}/pods/other`, { metadata: { name: "other" } });
  }

  put(path: string, object: Stored): void {
    this.objects.set(path, object);
  }

  get(path: string): Promise<unknown> {
    const url = new URL(path, "http://api");
    this.requests.push(`GET ${url.pathname}`);
    if (url.pathname.endsWith("/services/sealed-secrets:http/proxy/v1/cert.pem")) {
      return Promise.resolve(this.certificate);
    }
    if (!url.pathname.endsWith("/secrets") && !url.pathname.endsWith("/pods")) {
      return Promise.resolve(this.objects.get(url.pathname));
    }
    const wanted = (url.searchParams.get("labelSelector") ?? "").split(",").map((each) => each.split("="));
    const items = [...this.objects]
      .filter(([each]) => each.startsWith(`${url.pathname}/`))
      .map(([, object]) => object)
      .filter(({ metadata: { labels = {} } }) =>
        wanted.every(([key = "", value]) => key in labels && (value === undefined || labels[key] === value)),
      );
    return Promise.resolve({ items });
  }

  create(path: string, body: unknown): Promise<unknown> {
    const object = body as Stored;
    this.requests.push(`POST ${path}`);
    this.sent.push(JSON.stringify(body));
    this.put(`${path}/${object.metadata.name}`, object);
    return Promise.resolve(object);
  }

  remove(path: string): Promise<void> {
    this.requests.push(`DELETE ${path}`);
    this.objects.delete(path);
    return Promise.resolve();
  }

  patch(): Promise<unknown> {
    throw new Error("nothing is patched");
  }

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

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? "";
    const body = Buffer.concat(chunks).toString();
    const reply = await this.carryOut(request.method ?? "", path, body);
    response.statusCode = reply === undefined ? 404 : 200;
    response.end(typeof reply === "string" ? reply : JSON.stringify(reply ?? { message: "not found" }));
  }

  private async carryOut(method: string, path: string, body: string): Promise<unknown> {
    if (method === "GET") return this.get(path);
    if (method === "POST") return this.create(path, JSON.parse(body));
    await this.remove(new URL(path, "http://api").pathname);
    return {};
  }
}
