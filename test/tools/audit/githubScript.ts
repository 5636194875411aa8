import { spawn } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import type { FakeLoki } from "./fakeLoki";

const script = resolve(__dirname, "../../../components/monitoring/githubAudit");

/** Events as GitHub documents them; the newest may still be missing from the log. */
export interface GitHubEvent {
  readonly "@timestamp": number;
  readonly _document_id: string;
  readonly action: string;
  readonly actor?: string;
  readonly org: string;
  readonly [field: string]: unknown;
}

/** How the next requests are answered instead, one after the other. */
type Refusal = readonly [code: number, headers: Record<string, string>];

/** GitHub's audit log of the organisation `technova`: pages by cursor, in the order that is asked for. */
export class FakeGitHub {
  readonly events: GitHubEvent[] = [];
  readonly refusals: Refusal[] = [];
  /** Parameters of each request, in order. */
  readonly asked: URLSearchParams[] = [];
  /** What answers name as their own address; itself unless said otherwise. */
  named: string | undefined;
  private readonly server = createServer((request, response) => {
    this.answer(new URL(request.url ?? "", this.address), request.headers.authorization, response);
  });

  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  start(): Promise<void> {
    return new Promise((done) => this.server.listen(0, "127.0.0.1", done));
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(url: URL, authorization: string | undefined, response: ServerResponse): void {
    const query = url.searchParams;
    this.asked.push(query);
    const [code, headers] = this.refusals.shift() ?? [];
    const send = (status: number, body: unknown, more: Record<string, string> = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...more }).end(JSON.stringify(body));
    if (code !== undefined) return void send(code, { message: "refused" }, headers);
    if (authorization !== "Bearer a-token") return void send(401, { message: "Bad credentials" });
    if (url.pathname !== "/orgs/technova/audit-log") return void send(404, { message: "Not Found" });
    const since = Date.parse(/^created:>=(.+)$/.exec(query.get("phrase") ?? "")?.[1] ?? "");
    if (Number.isNaN(since) || query.get("order") !== "asc")
      return void send(422, { message: "not as recorded" });
    const matching = this.events
      .filter((event) => event["@timestamp"] >= since)
      .sort((a, b) => a["@timestamp"] - b["@timestamp"]);
    const from = Number(query.get("after") ?? 0);
    const next = from + Number(query.get("per_page"));
    const following = new URL(url.pathname + url.search, this.named ?? this.address);
    following.searchParams.set("after", String(next));
    const link =
      next < matching.length ? { link: `<${following}>; rel="next", <${url}>; rel="first"` } : undefined;
    send(200, matching.slice(from, next), link);
  }
}

export interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the script once, with a Loki behind the address of an API server. */
export async function bringGitHub(
  github: FakeGitHub,
  loki: FakeLoki,
  env: Record<string, string> = {},
): Promise<Run> {
  const child = spawn("python3", [script], {
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: "1",
      GITHUB_API: github.address,
      GITHUB_TOKEN: "a-token\n",
      ORGANISATION: "technova",
      LOKI: loki.direct,
      ...env,
    },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.on("close", done));
  return { code, output };
}
