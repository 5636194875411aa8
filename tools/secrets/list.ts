import { z } from "zod";
import { readSealedFiles, type SealedFiles } from "../../components/addons/sealedSecrets/files";
import { sealedApiVersion } from "../../components/addons/sealedSecrets/names";
import type { Api } from "../release/api";
import { table } from "../release/text";
import { scopeOf, sealedWith } from "./sealedFile";

/** One sealed Secret of a stack. Nothing of its values is in it. */
export interface Listed {
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  readonly keys: readonly string[];
  readonly scope: string;
  readonly type: string;
  /** The certificate that a key was sealed with last. */
  readonly sealedWith?: string;
  /** What the cluster says of it, where that was asked. */
  readonly state?: string;
}

export function listSealed(
  root: string,
  stack: string,
  namespaces: readonly string[],
): { listed: readonly Listed[]; problems: SealedFiles["problems"] } {
  const { files, problems } = readSealedFiles(root, stack, namespaces);
  const listed = files.map(({ path, object }) => ({
    path,
    namespace: object.metadata.namespace,
    name: object.metadata.name,
    keys: Object.keys(object.spec.encryptedData).sort(),
    scope: scopeOf(object),
    type: object.spec.template?.type ?? "Opaque",
    sealedWith: object.metadata.annotations?.[sealedWith],
  }));
  return { listed, problems };
}

const liveSchema = z.looseObject({
  metadata: z.looseObject({ generation: z.number().optional() }),
  status: z
    .looseObject({
      observedGeneration: z.number().optional(),
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .optional(),
    })
    .optional(),
});

/** The same with what the cluster says. */
export async function withStates(api: Pick<Api, "get">, listed: readonly Listed[]): Promise<Listed[]> {
  const found: Listed[] = [];
  for (const each of listed) {
    const path = `/apis/${sealedApiVersion}/namespaces/${each.namespace}/sealedsecrets/${each.name}`;
    found.push({ ...each, state: stateOf(await api.get(path)) });
  }
  return found;
}

function stateOf(live: unknown): string {
  if (live === undefined) return "not in the cluster yet";
  const { metadata, status } = liveSchema.parse(live);
  const synced = status?.conditions?.find(({ type }) => type === "Synced");
  const seen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  if (synced === undefined || !seen) return "not looked at yet";
  return synced.status === "True" ? "unsealed" : `failed: ${synced.message ?? synced.status}`;
}

export function renderListed(listed: readonly Listed[]): string {
  if (listed.length === 0) return "Nothing is sealed for the stack.";
  const asked = listed.some(({ state }) => state !== undefined);
  const heading = ["namespace", "name", "type", "scope", ...(asked ? ["state"] : []), "keys"];
  const rows = listed.map(({ namespace, name, type, scope, state, keys }) => [
    ...[namespace, name, type, scope],
    ...(asked ? [state ?? ""] : []),
    keys.join(", "),
  ]);
  return table(heading, rows).join("\n");
}
