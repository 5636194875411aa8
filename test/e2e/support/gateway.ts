import { Agent, request } from "node:https";
import { npmOk } from "./command";

export const apiKeyHeader = "x-api-key";

/** How to reach the service from outside, as the stack's outputs say. */
export interface Gateway {
  readonly url: URL;
  /** The host's name stands in no DNS: every request goes to this address and names the host in TLS and HTTP. */
  readonly address: string;
  /** PEM of the certificate authority that signed the gateway's certificate. */
  readonly ca: string;
  readonly apiKey: string;
  /** The application's image, by digest. */
  readonly image: string;
}

export async function gatewayOf(stack: string): Promise<Gateway> {
  const { stdout } = await npmOk("pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack);
  const outputs = JSON.parse(stdout) as Record<string, string>;
  const { url, gatewayCaCertificate, adminApiKey, image } = outputs;
  if (!url || !gatewayCaCertificate || !adminApiKey || !image) {
    throw new Error(
      `the stack's outputs lack url, gatewayCaCertificate, adminApiKey or image: ${Object.keys(outputs)}`,
    );
  }
  return { url: new URL(url), address: "127.0.0.1", ca: gatewayCaCertificate, apiKey: adminApiKey, image };
}

export interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** One request to the service through the gateway, its certificate verified. */
export function call(
  gateway: Gateway,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const agent = new Agent({ ca: gateway.ca, servername: gateway.url.hostname, keepAlive: false });
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        host: gateway.address,
        port: gateway.url.port,
        method,
        path,
        timeout: 15_000,
        headers: {
          host: gateway.url.host,
          [apiKeyHeader]: gateway.apiKey,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${method} ${path}: no answer within 15 s`)));
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
