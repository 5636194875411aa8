import type { KubernetesApi } from "../cluster/api";
import {
  apiVersionOf,
  groupOf,
  kindOf,
  list,
  nameOf,
  namespaceOf,
  number,
  text,
  texts,
  type KubeObject,
} from "../object";
import { conditions, conditionText } from "./verdict";

const MOST_PODS = 5;
const MOST_EVENTS = 10;
/** Conditions that are good when they are false. */
const BAD_WHEN_TRUE = /Failed|Failure|Pressure|Unavailable|NonStructural|Terminating/;

/**
 * What there is to know about an object that does not become ready: its conditions, the containers of its pods
 * that do not run, and the last events of all of these. One line each; what cannot be read is left out.
 */
export async function explainFailure(
  live: KubeObject,
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<string[]> {
  const pods = await podsOf(live, api, signal).catch(() => []);
  const owners = await replicaSetsOf(live, api, signal).catch(() => []);
  const events = await warningEvents(live, [...owners, ...pods], api, signal).catch(() => []);
  return [
    ...badConditions(live).map((line) => `condition ${line}`),
    ...pods.flatMap(podTroubles).slice(0, MOST_PODS),
    ...events,
  ];
}

export function badConditions(live: KubeObject): string[] {
  return conditions(live)
    .filter(({ type, status }) => (status === "True") === BAD_WHEN_TRUE.test(type))
    .map(conditionText);
}

async function podsOf(live: KubeObject, api: KubernetesApi, signal: AbortSignal): Promise<KubeObject[]> {
  if (kindOf(live) === "Pod") return [live];
  const labels = texts(live, "spec", "selector", "matchLabels");
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (selector.length === 0) return [];
  return api.list("v1", "Pod", namespaceOf(live), { labelSelector: selector.join(",") }, { signal });
}

async function replicaSetsOf(
  live: KubeObject,
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  if (kindOf(live) !== "Deployment" || groupOf(apiVersionOf(live)) !== "apps") return [];
  const all = await api.list("apps/v1", "ReplicaSet", namespaceOf(live), {}, { signal });
  const uid = text(live, "metadata", "uid");
  return all.filter((set) =>
    list(set, "metadata", "ownerReferences").some((owner) => text(owner, "uid") === uid),
  );
}

/**
 * The containers of a pod that do not run, and why. Output of the program is left out, since it may hold secrets,
 * unless the container says itself that its last lines are the reason (`FallbackToLogsOnError`).
 */
export function podTroubles(pod: KubeObject): string[] {
  const speaking = new Set(
    [...list(pod, "spec", "initContainers"), ...list(pod, "spec", "containers")]
      .filter((container) => text(container, "terminationMessagePolicy") === "FallbackToLogsOnError")
      .map((container) => text(container, "name")),
  );
  const troubles = [
    ...list(pod, "status", "initContainerStatuses"),
    ...list(pod, "status", "containerStatuses"),
  ]
    .map((status) => ({
      name: text(status, "name"),
      trouble: containerTrouble(status),
      words: speaking.has(text(status, "name")) ? lastWords(status) : "",
    }))
    .filter(({ trouble }) => trouble)
    .map(({ name, trouble, words }) => `pod ${nameOf(pod)}, container ${name}: ${trouble}${words}`);
  const unschedulable = conditions(pod)
    .filter(({ type, status }) => type === "PodScheduled" && status === "False")
    .map(({ message }) => `pod ${nameOf(pod)}: ${message}`);
  return [...unschedulable, ...troubles];
}

/** The last lines of a container that has failed, without those of its log, which are JSON. */
function lastWords(status: KubeObject): string {
  const lines = text(status, "state", "terminated", "message")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("{"));
  return lines.length === 0 ? "" : `: ${lines.slice(-3).join(" ")}`;
}

function containerTrouble(status: KubeObject): string {
  const restarts = number(status, "restartCount") ?? 0;
  const again = restarts > 0 ? `, restarted ${restarts} times` : "";
  const waitingFor = text(status, "state", "waiting", "reason");
  const last = exit(status, "lastState");
  if (waitingFor) {
    const message = text(status, "state", "waiting", "message");
    return `${waitingFor}${message ? `: ${message}` : ""}${last ? ` (last ${last})` : ""}${again}`;
  }
  const now = exit(status, "state");
  if (now && !now.endsWith("code 0")) return now + again;
  return status.ready === false && !now
    ? `running but not ready${last ? ` (last ${last})` : ""}${again}`
    : "";
}

function exit(status: KubeObject, state: string): string {
  const code = number(status, state, "terminated", "exitCode");
  return code === undefined ? "" : `${text(status, state, "terminated", "reason")} with exit code ${code}`;
}

async function warningEvents(
  live: KubeObject,
  others: KubeObject[],
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<string[]> {
  const uids = new Set([live, ...others].map((object) => text(object, "metadata", "uid")));
  const selector = { fieldSelector: "type=Warning" };
  const events = await api.list("v1", "Event", namespaceOf(live) || "default", selector, { signal });
  return eventLines(events.filter((event) => uids.has(text(event, "involvedObject", "uid"))));
}

/** The newest events, oldest first; the same trouble of several pods is told once. */
export function eventLines(events: KubeObject[]): string[] {
  const byText = new Map<string, { time: string; count: number }>();
  for (const event of events) {
    const line = `event ${text(event, "reason")} of ${text(event, "involvedObject", "kind")}: ${text(event, "message")}`;
    const time =
      text(event, "lastTimestamp") ||
      text(event, "eventTime") ||
      text(event, "metadata", "creationTimestamp");
    const seen = byText.get(line);
    const count = (number(event, "count") ?? 1) + (seen?.count ?? 0);
    byText.set(line, { count, time: seen && seen.time > time ? seen.time : time });
  }
  return [...byText]
    .sort(([, a], [, b]) => (a.time < b.time ? -1 : 1))
    .slice(-MOST_EVENTS)
    .map(([line, { count }]) => (count > 1 ? `${line} (${count} times)` : line));
}
