import type { ListOptions } from "../cluster/api";
import { list, number, text, type KubeObject } from "../object";

/** How far an object has come. */
export interface Verdict {
  readonly ready: boolean;
  /** What it waits for, or why it failed, in one line. */
  readonly message: string;
  /** It will not become ready by waiting. */
  readonly failed?: boolean;
}

export interface Query extends ListOptions {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
}

/** When an object of one kind counts as ready. Both parts are pure. */
export interface Readiness {
  /** Other objects that decide too. */
  readonly related?: (live: KubeObject) => Query | undefined;
  readonly judge: (live: KubeObject, related: KubeObject[]) => Verdict;
}

export const ready = (message = "ready"): Verdict => ({ ready: true, message });
export const waiting = (message: string): Verdict => ({ ready: false, message });
export const failed = (message: string): Verdict => ({ ready: false, failed: true, message });

/** Whether the controller has seen the last change of the object. */
export function isObserved(live: KubeObject): boolean {
  const generation = number(live, "metadata", "generation") ?? 0;
  return (number(live, "status", "observedGeneration") ?? -1) >= generation;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export function conditions(live: KubeObject): Condition[] {
  return list(live, "status", "conditions").map((condition) => ({
    type: text(condition, "type"),
    status: text(condition, "status"),
    reason: text(condition, "reason"),
    message: text(condition, "message"),
  }));
}

export const condition = (live: KubeObject, type: string) =>
  conditions(live).find((candidate) => candidate.type === type);

export function conditionText({ type, status, reason, message }: Condition): string {
  return `${type}=${status}${reason ? ` (${reason})` : ""}${message ? `: ${message}` : ""}`;
}
