import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { PropertyValue } from "../../rpc/values";
import { apiError, ApiError, ConnectionError } from "./errors";
import type { Target } from "./kubeconfig";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Record<string, string | undefined>;
  readonly body?: PropertyValue;
  readonly contentType?: string;
  /** Form of the answer. Default `application/json`. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Called with each warning that the API server sends along, such as one about a deprecated version. */
  readonly onWarning?: (message: string) => void;
  /** Called before each retry, with the reason. */
  readonly onRetry?: (reason: string) => void;
}

export interface TransportOptions {
  /** Longest time for one answer. Default 60 s. */
  readonly timeoutSeconds?: number;
  /** Tries after the first. Default 6, waiting 0.2 s and twice as long each time: 12 s together. */
  readonly retries?: number;
}

const CREDENTIALS_MILLISECONDS = 60_000;
const MOST_SOCKETS = 24;

/** Requests to one API server, signed in as the kubeconfig says, repeated when a repetition can help. */
export class Transport {
  private credentials: { options: https.RequestOptions; until: number } | undefined;
  private readonly base: URL;

  constructor(
    private readonly target: Target,
    private readonly options: TransportOptions = {},
  ) {
    this.base = new URL(target.cluster.server);
  }

  get server(): string {
    return this.base.origin;
  }

  async request(request: ApiRequest): Promise<PropertyValue> {
    const retries = this.options.retries ?? 6;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once(request);
      } catch (error) {
        const wait = attempt < retries ? retryDelay(error, request, attempt) : undefined;
        if (wait === undefined || request.signal?.aborted) throw error;
        request.onRetry?.((error as Error).message);
        await sleep(wait, undefined, { signal: request.signal });
      }
    }
  }

  /** One try, for finding out quickly whether anything answers. */
  async once(
    request: ApiRequest,
    timeoutSeconds = this.options.timeoutSeconds ?? 60,
  ): Promise<PropertyValue> {
    const signedIn = await this.signIn();
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const headers: http.OutgoingHttpHeaders = {
      ...(signedIn.headers as http.OutgoingHttpHeaders),
      accept: request.accept ?? "application/json",
    };
    if (body) {
      headers["content-type"] = request.contentType ?? "application/json";
      headers["content-length"] = body.length;
    }
    const url = new URL(this.base.href.replace(/\/$/, "") + request.path);
    for (const [key, value] of Object.entries(request.query ?? {}))
      if (value) url.searchParams.set(key, value);
    return send(url, { ...signedIn, headers, method: request.method }, body, request, timeoutSeconds * 1000);
  }

  private async signIn(): Promise<https.RequestOptions> {
    if (this.credentials && Date.now() < this.credentials.until) return this.credentials.options;
    const { KubeConfig } = await import("@kubernetes/client-node");
    const { cluster, user, context } = this.target;
    const config = new KubeConfig();
    const current = { ...context, cluster: cluster.name, user: user?.name ?? "nobody" };
    config.loadFromOptions({
      clusters: [cluster],
      users: [user ?? { name: "nobody" }],
      contexts: [current],
      currentContext: current.name,
    });
    const options: https.RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    // Certificates lie in the agent; connections are kept, as an update makes hundreds of requests.
    if (options.agent instanceof http.Agent) {
      Object.assign(options.agent, { keepAlive: true, maxSockets: MOST_SOCKETS });
      options.agent.setMaxListeners(0);
    }
    this.credentials = { options, until: Date.now() + CREDENTIALS_MILLISECONDS };
    return options;
  }
}

function send(
  url: URL,
  options: https.RequestOptions,
  body: Buffer | undefined,
  { signal, onWarning }: ApiRequest,
  timeout: number,
): Promise<PropertyValue> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const request = (url.protocol === "http:" ? http : https).request(url, { ...options, timeout, signal });
    const fail = (error: Error & { code?: string }) => {
      if (signal?.aborted) reject(signal.reason instanceof Error ? signal.reason : error);
      else
        reject(
          new ConnectionError(`no answer from ${url.origin}: ${error.message || error.code}`, !connected),
        );
    };
    request.on("socket", (socket) => {
      if (!socket.connecting) connected = true;
      else socket.once("connect", () => (connected = true));
    });
    request.on("timeout", () => request.destroy(new Error(`nothing came for ${timeout / 1000} s`)));
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("aborted", () => fail(new Error("the connection was cut")));
      response.on("end", () => {
        for (const warning of warnings(response.headers.warning)) onWarning?.(warning);
        const answer = parseBody(Buffer.concat(chunks).toString());
        const code = response.statusCode ?? 0;
        if (code < 300) resolve(answer);
        else reject(apiError(code, answer, response.headers["retry-after"]));
      });
    });
    request.end(body);
  });
}

function parseBody(text: string): PropertyValue {
  try {
    return JSON.parse(text) as PropertyValue;
  } catch {
    return text;
  }
}

/** The texts of `299 - "text"` headers, several of which can be joined by commas. */
export function warnings(header: string | undefined): string[] {
  const found = (header ?? "").matchAll(/299 [^ ]+ "((?:[^"\\]|\\.)*)"/g);
  return [...found].map(([, message = ""]) => message.replace(/\\(.)/g, "$1"));
}

/** Milliseconds until the next try, or `undefined` when another try would not do better or not be safe. */
export function retryDelay(
  error: unknown,
  { method }: Pick<ApiRequest, "method">,
  attempt: number,
): number | undefined {
  const backoff = 200 * 2 ** attempt;
  if (error instanceof ApiError) {
    const busy = error.code === 429 || (error.code === 503 && error.retryAfterSeconds > 0);
    const passing = /leader changed|etcdserver: request timed out|connection refused/.test(error.message);
    if (!busy && !(error.code >= 500 && passing)) return undefined;
    return error.retryAfterSeconds > 0 ? error.retryAfterSeconds * 1000 : backoff;
  }
  // A creation that may have happened is looked after by who asked for it.
  return error instanceof ConnectionError && (error.neverSent || method !== "POST") ? backoff : undefined;
}
