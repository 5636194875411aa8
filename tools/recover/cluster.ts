import { z } from "zod";
import { sealingNamespace } from "../../components/addons/sealedSecrets/names";
import type { FullApi } from "../release/api";
import { restoreKeys, type SealingKey } from "../secrets/keys";

/** Which of the namespaces are there, with how many Pods each has. */
export async function namespacesThere(api: FullApi, namespaces: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const namespace of namespaces)
    if ((await api.get(`/api/v1/namespaces/${namespace}`)) !== undefined) found.push(namespace);
  return found;
}

const ended = z.looseObject({ terminated: z.looseObject({ exitCode: z.int() }).optional() });
const filledPod = z.looseObject({
  status: z
    .looseObject({
      initContainerStatuses: z
        .array(z.looseObject({ state: ended.default({}), lastState: ended.default({}) }))
        .default([]),
    })
    .optional(),
});

/**
 * Whether it is certain that the database in the cluster has nothing yet: it has no volume, or what was to fill that has
 * failed, which on a volume with a database does nothing at all.
 */
export async function databaseIsEmpty(api: FullApi): Promise<boolean> {
  const folder = "/api/v1/namespaces/inventory";
  if ((await api.get(`${folder}/persistentvolumeclaims/data-inventory-database-0`)) === undefined)
    return true;
  const found = filledPod.parse((await api.get(`${folder}/pods/inventory-database-0`)) ?? {});
  const steps = found.status?.initContainerStatuses ?? [];
  return steps.some(
    ({ state, lastState }) => ((state.terminated ?? lastState.terminated)?.exitCode ?? 0) !== 0,
  );
}

/** A Secret as a person has it in a file. */
export interface Secret {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

const every = 1_000;

/** What no update makes by itself. */
export interface Brought {
  readonly secrets: readonly Secret[];
  /** What opens the Secrets that are sealed. */
  readonly sealingKeys?: readonly SealingKey[];
}

/**
 * Puts Secrets and keys into namespaces as soon as those are there, while something goes on that makes them. What is
 * there already stays.
 */
export async function bringing<T>(
  api: FullApi,
  { secrets, sealingKeys = [] }: Brought,
  work: () => Promise<T>,
): Promise<T> {
  let going = true;
  let left = secrets.map((secret) => () => put(api, secret));
  if (sealingKeys.length > 0) left.unshift(() => putKeys(api, sealingKeys));
  const bring = async (): Promise<void> => {
    while (going && left.length > 0) {
      const missing: typeof left = [];
      // An API server that does not answer for a moment is no end.
      for (const each of left) if (!(await each().catch(() => false))) missing.push(each);
      left = missing;
      if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, every));
    }
  };
  const brought = bring();
  try {
    return await work();
  } finally {
    going = false;
    await brought;
  }
}

const namespaceObject = z.looseObject({ status: z.looseObject({ phase: z.string().optional() }).optional() });

async function takesObjects(api: FullApi, namespace: string): Promise<boolean> {
  const there = await api.get(`/api/v1/namespaces/${namespace}`);
  return there !== undefined && namespaceObject.parse(there).status?.phase !== "Terminating";
}

/** @returns whether they are there now; a controller that has started before them starts anew */
async function putKeys(api: FullApi, keys: readonly SealingKey[]): Promise<boolean> {
  if (!(await takesObjects(api, sealingNamespace))) return false;
  await restoreKeys(api, keys);
  return true;
}

/** @returns whether it is there now */
async function put(api: FullApi, secret: Secret): Promise<boolean> {
  const { namespace, name } = secret.metadata;
  if (!(await takesObjects(api, namespace))) return false;
  const folder = `/api/v1/namespaces/${namespace}/secrets`;
  if ((await api.get(`${folder}/${name}`)) !== undefined) return true;
  const { type = "Opaque", data, stringData } = secret;
  await api.create(folder, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type,
    ...(data === undefined ? {} : { data }),
    ...(stringData === undefined ? {} : { stringData }),
  });
  return true;
}
