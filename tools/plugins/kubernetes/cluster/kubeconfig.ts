import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { Cluster, Context, User } from "@kubernetes/client-node";
import { parse } from "yaml";

/** What a kubeconfig says, before any of it is used. */
export interface Kubeconfig {
  readonly clusters: Cluster[];
  readonly users: User[];
  readonly contexts: Context[];
  readonly currentContext: string;
}

export interface Selection {
  /** A kubeconfig's content, a path, or several paths; "" for the usual places. */
  readonly kubeconfig: string;
  readonly context: string;
  readonly cluster: string;
  readonly namespace: string;
}

/** The one cluster that a kubeconfig and the provider's settings lead to. */
export interface Target {
  readonly cluster: Cluster;
  readonly user: User | undefined;
  readonly context: Context;
  readonly namespace: string;
}

/** Reads a kubeconfig, given as content, path or paths. Of two entries with one name the first counts. */
export async function readKubeconfig(pathsOrContent: string): Promise<Kubeconfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const parts: Kubeconfig[] = [];
  const load = (content: string, folder?: string) => {
    const config = new KubeConfig();
    config.loadFromString(JSON.stringify({ clusters: [], users: [], contexts: [], ...parsed(content) }), {
      onInvalidEntry: "filter" as never,
    });
    if (folder) makeAbsolute(config, folder);
    parts.push(config);
  };
  const paths = existingPaths(pathsOrContent);
  if (paths) for (const path of paths) load(readFileSync(path, "utf8"), dirname(path));
  else load(pathsOrContent);
  return {
    clusters: firstOfName(parts.flatMap((part) => part.clusters)),
    users: firstOfName(parts.flatMap((part) => part.users)),
    contexts: firstOfName(parts.flatMap((part) => part.contexts)),
    currentContext: parts.map((part) => part.currentContext).find((name) => name) ?? "",
  };
}

function parsed(content: string): Record<string, unknown> {
  const value: unknown = parse(content);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("it is neither the path of a kubeconfig file nor the content of one");
  }
  const given = Object.entries(value).filter(([, part]) => part !== null);
  return Object.fromEntries(given);
}

function existingPaths(text: string): string[] | undefined {
  if (text.includes("\n") || text.trimStart().startsWith("{")) return undefined;
  const paths = text
    .split(delimiter)
    .filter(Boolean)
    .map((path) => (path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path));
  const existing = paths.filter((path) => existsSync(path));
  return existing.length > 0 ? existing : undefined;
}

function makeAbsolute(config: { clusters: Cluster[]; users: User[] }, folder: string): void {
  const absolute = (path: string) => (isAbsolute(path) ? path : join(folder, path));
  type Mutable<T> = { -readonly [K in keyof T]: T[K] };
  for (const cluster of config.clusters as Mutable<Cluster>[]) {
    if (cluster.caFile) cluster.caFile = absolute(cluster.caFile);
  }
  for (const user of config.users as Mutable<User>[]) {
    if (user.certFile) user.certFile = absolute(user.certFile);
    if (user.keyFile) user.keyFile = absolute(user.keyFile);
  }
}

function firstOfName<T extends { name: string }>(entries: T[]): T[] {
  return entries.filter((entry, index) => entries.findIndex(({ name }) => name === entry.name) === index);
}

/** The kubeconfig of the settings, else of KUBECONFIG, else of the home folder. `undefined` when there is none. */
export async function ambientKubeconfig(setting: string): Promise<Kubeconfig | undefined> {
  if (setting) return readKubeconfig(setting);
  const fromEnvironment = process.env.KUBECONFIG;
  if (fromEnvironment) return existingPaths(fromEnvironment) ? readKubeconfig(fromEnvironment) : undefined;
  const home = join(homedir(), ".kube", "config");
  return existsSync(home) ? readKubeconfig(home) : undefined;
}

/** Throws with what there is to choose from when the settings name something that the kubeconfig lacks. */
export function selectTarget(config: Kubeconfig, { context, cluster, namespace }: Selection): Target {
  const contextName = context || config.currentContext;
  if (!contextName)
    throw new Error(`the kubeconfig has no current context; set one of ${names(config.contexts)}`);
  const chosen = find(config.contexts, contextName, "context");
  return {
    context: chosen,
    cluster: find(config.clusters, cluster || chosen.cluster, "cluster"),
    user: config.users.find(({ name }) => name === chosen.user),
    namespace: namespace || chosen.namespace || "default",
  };
}

function find<T extends { name: string }>(entries: T[], name: string, what: string): T {
  const found = entries.find((entry) => entry.name === name);
  if (!found) throw new Error(`the kubeconfig has no ${what} ${JSON.stringify(name)}, but ${names(entries)}`);
  return found;
}

function names(entries: { name: string }[]): string {
  return entries.map(({ name }) => JSON.stringify(name)).join(", ") || "none at all";
}
