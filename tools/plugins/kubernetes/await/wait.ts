import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesApi } from "../cluster/api";
import { ConnectionError, isNotFound } from "../cluster/errors";
import { describe, field, list, text, type KubeObject } from "../object";
import type { Readiness, Verdict } from "./verdict";

const FIRST_PAUSE_MILLISECONDS = 200;
const LONGEST_PAUSE_MILLISECONDS = 1000;

export interface WaitOptions {
  readonly api: KubernetesApi;
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
  readonly status: (message: string) => void;
}

/** The object as it was last seen, and why it is not ready if it is not. */
export interface Waited {
  readonly live: KubeObject;
  readonly failure?: string;
}

/** Asks again and again until the object is ready, has failed, is gone, or the time is up. */
export async function waitUntilReady(
  first: KubeObject,
  readiness: Readiness,
  options: WaitOptions,
): Promise<Waited> {
  const deadline = Date.now() + options.timeoutMilliseconds;
  let live = first;
  let verdict: Verdict = { ready: false, message: "" };
  for (let pause = FIRST_PAUSE_MILLISECONDS; ; pause = longer(pause)) {
    try {
      verdict = readiness.judge(live, await related(live, readiness, options));
      if (verdict.ready) return { live };
      options.status(verdict.message);
      if (verdict.failed) return { live, failure: verdict.message };
      if (Date.now() >= deadline) return { live, failure: timedOut(options, verdict.message) };
      await sleep(pause, undefined, { signal: options.signal });
      live = await options.api.get(live, options);
    } catch (error) {
      if (options.signal.aborted) return { live, failure: `cancelled while waiting: ${verdict.message}` };
      if (isNotFound(error)) return { live, failure: `${describe(live)} was deleted by somebody else` };
      if (!(error instanceof ConnectionError)) return { live, failure: (error as Error).message };
      if (Date.now() >= deadline) return { live, failure: timedOut(options, error.message) };
      options.status(error.message);
    }
  }
}

function longer(pause: number): number {
  return Math.min(pause * 1.5, LONGEST_PAUSE_MILLISECONDS);
}

function timedOut({ timeoutMilliseconds }: WaitOptions, message: string): string {
  return `not ready after ${timeoutMilliseconds / 1000} s: ${message}`;
}

async function related(
  live: KubeObject,
  readiness: Readiness,
  { api, signal }: WaitOptions,
): Promise<KubeObject[]> {
  const query = readiness.related?.(live);
  return query ? api.list(query.apiVersion, query.kind, query.namespace, query, { signal }) : [];
}

/** Waits until the object is gone. Another object of its name is not it. Returns why it is not gone if it is not. */
export async function waitUntilGone(object: KubeObject, options: WaitOptions): Promise<Waited | undefined> {
  const deadline = Date.now() + options.timeoutMilliseconds;
  const uid = text(object, "metadata", "uid");
  let live = object;
  for (let pause = FIRST_PAUSE_MILLISECONDS; ; pause = longer(pause)) {
    try {
      live = await options.api.get(live, options);
      if (uid && text(live, "metadata", "uid") !== uid) return undefined;
      const message = whyStillThere(live);
      options.status(message);
      if (Date.now() >= deadline)
        return { live, failure: `not gone after ${options.timeoutMilliseconds / 1000} s: ${message}` };
      await sleep(pause, undefined, { signal: options.signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (options.signal.aborted) return { live, failure: "cancelled while waiting for it to be gone" };
      if (!(error instanceof ConnectionError)) throw error;
      if (Date.now() >= deadline) return { live, failure: error.message };
    }
  }
}

function whyStillThere(live: KubeObject): string {
  const finalizers = field(live, "metadata", "finalizers");
  const held = Array.isArray(finalizers) && finalizers.length > 0;
  const conditions = list(live, "status", "conditions")
    .filter((condition) => text(condition, "status") === "True" && text(condition, "message"))
    .map((condition) => text(condition, "message"));
  const why = held ? `held by its finalizers ${finalizers.join(", ")}` : "being deleted";
  return [why, ...conditions].join("; ");
}
