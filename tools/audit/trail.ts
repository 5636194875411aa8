import { z } from "zod";
import { auditJob } from "../../components/monitoring/collecting";
import { Loki, nanoseconds, type Range } from "./loki";

const stackEvent = z.object({
  /** What tells it from every other of its stack, whenever it is written. */
  id: z.string(),
  /** When it was over, in ISO 8601. */
  at: z.string(),
  /** What was done: `update`, `destroy`, `refresh`, `import`, `rollback`, `recovery` or what else a tool does to a stack. */
  kind: z.string(),
  result: z.enum(["succeeded", "failed"]),
  who: z.string(),
  /** In words, for people. */
  message: z.string().default(""),
  /** Hash of the program's commit, with `*` behind it if there were changes that are in none. */
  commit: z.string().optional(),
  /** The application's, afterwards. */
  version: z.string().optional(),
  image: z.string().optional(),
  schemaRevision: z.string().optional(),
  /** Settings that differ from those before, by name. Values are in the stack's history, and never here. */
  changed: z.array(z.string()).default([]),
  /** How many resources were created, changed and so on. */
  resources: z.record(z.string(), z.number()).default({}),
});

/** Something that was done to a stack as a whole. */
export type StackEvent = z.infer<typeof stackEvent>;

/** @returns undefined for a line that is none */
export function parseStackEvent(text: string): StackEvent | undefined {
  try {
    return stackEvent.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The lines about a stack. */
export const stackQuery = (stack: string): string =>
  `{job="${auditJob}", source="stack", stack=${JSON.stringify(stack)}}`;

/**
 * The part of the audit trail that the platform's own tools write. An event has the same line whoever writes it and
 * however often, and its ID tells that it is the same.
 */
export class StackTrail {
  constructor(
    private readonly loki: Loki,
    private readonly stack: string,
  ) {}

  /** IDs of the events that are in it. @throws NoLoki, and the API server's errors; see `explained` */
  async ids(range: Range): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for await (const { text } of this.loki.newestFirst(stackQuery(this.stack), range)) {
      const event = parseStackEvent(text);
      if (event !== undefined) found.add(event.id);
    }
    return found;
  }

  /**
   * Writes events.
   * @throws the API server's errors; see `explained`
   */
  async add(events: readonly StackEvent[], now = new Date()): Promise<void> {
    if (events.length === 0) return;
    const lines = [...events]
      .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .map((event) => ({
        time: nanoseconds(writtenAt(new Date(event.at), now)),
        text: JSON.stringify(stackEvent.parse(event)),
        metadata: { who: event.who, kind: event.kind, id: event.id },
      }));
    await this.loki.push({ job: auditJob, source: "stack", stack: this.stack }, lines);
  }
}

const lateMilliseconds = 30 * 60_000;

/**
 * The moment at which Loki is to have an event. It refuses lines that are more than an hour behind their stream, and
 * does not find old ones until it has put them into its store: what comes late is there when it comes. When it
 * happened is in its line.
 */
export function writtenAt(happened: Date, now: Date): Date {
  return now.getTime() - happened.getTime() < lateMilliseconds ? happened : now;
}
