import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { lokiPath } from "../../../tools/audit/loki";
import { matches, type Stored } from "./logql";

const nanosecondsPerSecond = 1_000_000_000n;
/** What Loki takes unless it is told otherwise. */
const most = 5000;
const furthest = 721n * 3600n * nanosecondsPerSecond;

interface Push {
  readonly streams: {
    readonly stream: Record<string, string>;
    readonly values: [string, string, Record<string, string>?][];
  }[];
}

/** An API server with a Loki behind it, which refuses what the real one refuses. */
export class FakeLoki {
  readonly stored: Stored[] = [];
  /** Every request, method and path without parameters. */
  readonly requests: string[] = [];
  /** What every request is answered with instead, such as 404 while there is no Loki. */
  failure: number | undefined;
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

  /** Its own address, without the API server. */
  get direct(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** As the collector writes it. */
  add(
    time: Date,
    labels: Record<string, string>,
    line: unknown,
    metadata: Record<string, string> = {},
  ): void {
    const text = typeof line === "string" ? line : JSON.stringify(line);
    this.stored.push({ time: BigInt(time.getTime()) * 1_000_000n, labels, text, metadata });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "", "http://api");
    this.requests.push(`${request.method} ${url.pathname}`);
    const send = (code: number, body?: unknown) => {
      response.writeHead(code, {
        "content-type": typeof body === "string" ? "text/plain" : "application/json",
      });
      response.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
    };
    const [base] = [lokiPath, "/loki/api/v1"].filter((each) => url.pathname.startsWith(each));
    if (this.failure !== undefined || base === undefined) {
      const code = this.failure ?? 404;
      return send(code, { kind: "Status", code, message: `the fake answers ${code}` });
    }
    const path = url.pathname.slice(base.length);
    if (path === "/push" && request.method === "POST") {
      this.push(JSON.parse(Buffer.concat(chunks).toString()) as Push);
      return send(204);
    }
    const given = url.searchParams;
    if (path === "/query_range") return send(...this.range(given));
    if (path === "/query") return send(...this.count(given));
    send(404, "page not found");
  }

  private push({ streams }: Push): void {
    for (const { stream, values } of streams) {
      for (const [time, text, metadata = {}] of values) {
        this.stored.push({ time: BigInt(time), labels: stream, text, metadata });
      }
    }
  }

  private range(given: URLSearchParams): [number, unknown] {
    const [start, end] = [BigInt(given.get("start") ?? 0), BigInt(given.get("end") ?? 0)];
    const limit = Number(given.get("limit"));
    if (end - start > furthest) return [400, "the query time range exceeds the limit"];
    if (limit > most) return [400, "max entries limit per query exceeded"];
    const found = this.found(given.get("query") ?? "", start, end)
      .sort((a, b) => (a.time < b.time ? 1 : -1))
      .slice(0, limit);
    const result = found.map(({ labels, metadata, time, text }) => ({
      stream: { ...labels, ...metadata },
      values: [[`${time}`, text]],
    }));
    return [200, { status: "success", data: { resultType: "streams", result } }];
  }

  private count(given: URLSearchParams): [number, unknown] {
    const [, query = "", seconds = ""] =
      /^sum\(count_over_time\((.*) \[(\d+)s\]\)\)$/.exec(given.get("query") ?? "") ?? [];
    const end = BigInt(given.get("time") ?? 0);
    const length = BigInt(seconds) * nanosecondsPerSecond;
    if (length > furthest) return [400, "the query time range exceeds the limit"];
    const count = this.found(query, end - length, end).length;
    const result =
      count === 0 ? [] : [{ metric: {}, value: [Number(end / nanosecondsPerSecond), `${count}`] }];
    return [200, { status: "success", data: { resultType: "vector", result } }];
  }

  /** The same line of the same stream at the same moment is there once. */
  private found(query: string, start: bigint, end: bigint): Stored[] {
    const inRange = this.stored.filter(
      (line) => line.time >= start && line.time < end && matches(query, line),
    );
    const keyOf = ({ labels, time, text }: Stored) => JSON.stringify([labels, `${time}`, text]);
    return [...new Map(inRange.map((line) => [keyOf(line), line])).values()];
  }
}
