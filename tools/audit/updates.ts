import { parseStackSettings, projectName, stackFile } from "../engine/project";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { messageOf, report } from "../engine/report";
import { openState } from "../engine/state";
import { listHistory, type Listed } from "../history/list";
import { openHistory } from "../history/source";
import { connect } from "../release/api";
import { cut } from "../release/text";
import { explained, Loki, NoLoki, nanoseconds } from "./loki";
import { StackTrail, type StackEvent } from "./trail";

const dayMilliseconds = 86_400_000;
/** Entries of the history that are looked at when none is missing. */
const usual = 50;

/** A command that may have changed a stack. */
export interface Done {
  readonly stack: string;
  /** The settings that it took, where they are not the stack's own. */
  readonly settingsFile?: string;
  /** Whether the stack may be gone by now, and Loki with it. */
  readonly removed: boolean;
}

/**
 * Brings the stack's updates that Loki does not have yet into the audit trail. Nothing that goes wrong here is a
 * reason for a command to fail: it is told in one line, and the next command makes up for it.
 */
export async function bringUpdates(
  root: string,
  done: Done,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void = report,
): Promise<void> {
  try {
    const days = retentionDays(done.settingsFile ?? stackFile(root, done.stack));
    if (days === undefined) return;
    await bring(root, done.stack, days, env);
  } catch (error) {
    if (done.removed || error instanceof NoLoki) return;
    say(
      `warning: the audit trail lacks the latest updates of ${done.stack}; the next npm run up brings them. ` +
        cut(messageOf(explained(error, done.stack)).replace(/\s+/g, " "), 400),
    );
  }
}

async function bring(root: string, stack: string, days: number, env: NodeJS.ProcessEnv): Promise<void> {
  const now = Date.now();
  const trail = new StackTrail(new Loki(await connect(root, stack, env)), stack);
  // What is older may have been in it, and thrown away again.
  const oldest = now - days * dayMilliseconds;
  const known = await trail.ids({ from: nanoseconds(oldest), to: nanoseconds(now + dayMilliseconds) });
  const state = openState(root, env);
  const history = await openHistory(root, stack, env, state);
  const project = projectName(root);
  const list = (limit?: number) => listHistory(history, project, limit, { state, env });
  const isWanted = ({ update }: Listed) => update.endedAt.getTime() > oldest && !known.has(update.id);
  const newest = await list(usual);
  const last = newest.at(-1);
  const all = newest.length === usual && last !== undefined && isWanted(last) ? await list() : newest;
  await trail.add(all.filter(isWanted).map(eventOf));
}

/** What the trail says about an update: names of settings, and no value of any. */
export function eventOf({ update, facts, digest, backTo, changed }: Listed): StackEvent {
  return {
    id: update.id,
    at: update.endedAt.toISOString(),
    kind: update.kind,
    result: update.succeeded ? "succeeded" : "failed",
    who: facts.who,
    message: [backTo === undefined ? "" : `back to ${backTo}`, update.message.split("\n", 1).join()]
      .filter((part) => part !== "")
      .join(": "),
    commit: facts.commit === undefined ? undefined : `${facts.commit}${facts.dirty ? "*" : ""}`,
    version: facts.version,
    image: digest,
    schemaRevision: facts.schemaRevision,
    changed: (changed ?? []).map(({ path }) => path),
    resources: update.changes,
  };
}

const withLogs = z.looseObject({
  enabled: z.literal(true).default(true),
  logs: z.looseObject({ enabled: z.literal(true).default(true), retentionDays: z.number().default(30) }),
});

/** For how long a stack keeps its logs; undefined when it keeps none. */
function retentionDays(file: string): number | undefined {
  const { config } = parseStackSettings(readFileSync(file, "utf8"), file);
  return withLogs.safeParse(config?.["technova:monitoring"]).data?.logs.retentionDays;
}
