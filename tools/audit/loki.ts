import { z } from "zod";
import { UserError } from "../engine/report";
import { ApiError, ConnectionError } from "../plugins/kubernetes/cluster/errors";
import type { FullApi } from "../release/api";

/** Loki's own interface, through the API server: it is reachable from nowhere else. */
export const lokiPath = "/api/v1/namespaces/monitoring/services/loki:http/proxy/loki/api/v1";

/** Moments in nanoseconds since 1970; the first belongs to the range, the last does not. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** One line, with the labels and the metadata that it has. */
export interface Line {
  readonly time: bigint;
  readonly text: string;
  readonly labels: Readonly<Record<string, string>>;
}

export const nanoseconds = (moment: Date | number): bigint => BigInt(+moment) * 1_000_000n;

/** Lines of one answer; Loki gives no more than 5,000 unless it is told to. */
const pageSize = 1000;
/** Loki looks no further than 30 days and an hour at one time unless it is told to, and counts begun hours as whole. */
const furthest = 29n * 86_400n * 1_000_000_000n;

const streams = z.object({
  data: z.object({
    result: z.array(
      z.object({
        stream: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.string(), z.string()])),
      }),
    ),
  }),
});
const vector = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

/** The stack's cluster has no Loki. */
export class NoLoki extends UserError {}

/** Reads and writes lines. Errors are those of the API server; `explained` says what to do about them. */
export class Loki {
  constructor(private readonly api: Pick<FullApi, "get" | "create">) {}

  /** The lines that a query of LogQL finds, newest first; asks for more as more are taken. @throws NoLoki */
  async *newestFirst(query: string, { from, to }: Range): AsyncGenerator<Line> {
    for (let end = to; end > from; end -= furthest) {
      const start = end - furthest > from ? end - furthest : from;
      yield* this.pages(query, { from: start, to: end });
    }
  }

  private async *pages(query: string, { from, to }: Range): AsyncGenerator<Line> {
    // Several lines may have the same moment: the page after it begins with that moment again.
    let seen = new Set<string>();
    for (let until = to; until > from;) {
      const lines = await this.page(query, { from, to: until });
      const fresh = lines.filter((line) => !seen.has(keyOf(line)));
      yield* fresh;
      const oldest = lines.at(-1)?.time;
      if (oldest === undefined || lines.length < pageSize) return;
      seen = new Set(lines.filter(({ time }) => time === oldest).map(keyOf));
      until = fresh.length === 0 ? oldest : oldest + 1n;
    }
  }

  private async page(query: string, { from, to }: Range): Promise<Line[]> {
    const found = await this.get("query_range", {
      query,
      start: `${from}`,
      end: `${to}`,
      limit: `${pageSize}`,
      direction: "backward",
    });
    const lines = streams
      .parse(found)
      .data.result.flatMap(({ stream, values }) =>
        values.map(([time, text]) => ({ time: BigInt(time), text, labels: stream })),
      );
    return lines.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
  }

  /** How many lines a query finds. @throws NoLoki */
  async count(query: string, { from, to }: Range): Promise<number> {
    let sum = 0;
    for (let end = to; end > from; end -= furthest) {
      const start = end - furthest > from ? end - furthest : from;
      const seconds = (end - start + 999_999_999n) / 1_000_000_000n;
      const found = await this.get("query", {
        query: `sum(count_over_time(${query} [${seconds}s]))`,
        time: `${end}`,
      });
      sum += Number(vector.parse(found).data.result[0]?.value[1] ?? 0);
    }
    return sum;
  }

  /** Writes lines of one stream, oldest first. The metadata of a line can be searched, and makes no stream of its own. */
  async push(
    labels: Readonly<Record<string, string>>,
    lines: readonly { time: bigint; text: string; metadata: Readonly<Record<string, string>> }[],
  ): Promise<void> {
    const values = lines.map(({ time, text, metadata }) => [`${time}`, text, metadata]);
    await this.api.create(`${lokiPath}/push`, { streams: [{ stream: labels, values }] });
  }

  private async get(path: string, parameters: Record<string, string>): Promise<unknown> {
    const found = await this.api.get(`${lokiPath}/${path}?${new URLSearchParams(parameters)}`);
    if (found === undefined) throw new NoLoki("there is no Loki in the namespace monitoring");
    return found;
  }
}

function keyOf({ time, text }: Line): string {
  return `${time} ${text}`;
}

/** A text as LogQL takes it; Go's strings and JSON's are the same as far as they are written here. */
export const quoted = (text: string): string => JSON.stringify(text);

/** What stands for itself in a regular expression of LogQL. */
export const literally = (text: string): string => text.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&");

/** What went wrong on the way to Loki, with what to do about it; other errors stay as they are. */
export function explained(error: unknown, stack: string): unknown {
  if (error instanceof NoLoki) {
    return new UserError(
      `The stack ${stack} has no audit trail: ${error.message}. Set technova:monitoring.logs in its settings, ` +
        "then npm run up.",
    );
  }
  if (error instanceof ConnectionError) {
    return new UserError(
      `The cluster does not answer: ${error.message}. Check it (npm run cluster -- status for the embedded one) ` +
        "and the stack's kubernetes:context.",
    );
  }
  if (!(error instanceof ApiError)) return error;
  if (error.code === 401 || error.code === 403) {
    return new UserError(
      `The cluster refuses it: ${error.message}. It takes the right to get services/proxy of loki:http in the ` +
        "namespace monitoring, which technova:cluster.access.admins have.",
    );
  }
  if (error.code >= 500) {
    return new UserError(
      `Loki does not answer: ${error.message.trim()}. Look at it: ` +
        "kubectl get pods -n monitoring -l app.kubernetes.io/name=loki",
    );
  }
  return new UserError(`Loki refuses it: ${error.message.trim()}`);
}
