import { z } from "zod";
import type { FullApi } from "../release/api";

/** Which of the namespaces are there, with how many Pods each has. */
export async function namespacesThere(api: FullApi, namespaces: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const namespace of namespaces)
    if ((await api.get(`/api/v1/namespaces/${namespace}`)) !== undefined) found.push(namespace);
  return found;
}

/** A Secret as a person has it in a file. */
export interface Secret {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

const every = 1_000;

/**
 * Puts Secrets into namespaces as soon as those are there, while something goes on that makes them. What is there
 * already stays.
 */
export async function bringing<T>(
  api: FullApi,
  secrets: readonly Secret[],
  work: () => Promise<T>,
): Promise<T> {
  let [going, left] = [true, [...secrets]];
  const bring = async (): Promise<void> => {
    while (going && left.length > 0) {
      const missing: Secret[] = [];
      // An API server that does not answer for a moment is no end.
      for (const secret of left) if (!(await put(api, secret).catch(() => false))) missing.push(secret);
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

/** @returns whether it is there now */
async function put(api: FullApi, secret: Secret): Promise<boolean> {
  const { namespace, name } = secret.metadata;
  const there = await api.get(`/api/v1/namespaces/${namespace}`);
  if (there === undefined || namespaceObject.parse(there).status?.phase === "Terminating") return false;
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
