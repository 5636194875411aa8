import { z } from "zod";
import { messageOf, UserError } from "../engine/report";
import { uncompressed } from "../history/names";
import type { Archive } from "./archive";
import { backendFolder, cloudHistory, cloudState, type Manifest } from "./manifest";

const provider = z.looseObject({ type: z.string(), state: z.record(z.string(), z.unknown()).nullish() });
const deploymentSchema = z.looseObject({
  manifest: z.looseObject({ version: z.string().optional() }).nullish(),
  secrets_providers: provider.nullish(),
  resources: z.array(z.looseObject({ urn: z.string(), type: z.string() })).nullish(),
  pending_operations: z.array(z.unknown()).nullish(),
});
const checkpoint = z.looseObject({
  version: z.number(),
  checkpoint: z.looseObject({ latest: deploymentSchema.nullish() }),
});
const exported = z.looseObject({ version: z.number(), deployment: deploymentSchema });
const anyObject = z.looseObject({});
export type Deployment = z.infer<typeof deploymentSchema>;

/** What a stack's state says, whatever backend it comes from. */
export interface Content {
  readonly deployment: Deployment;
  readonly urns: readonly string[];
  readonly pending: number;
  readonly updates: number;
  /** Every secret in it, encrypted. */
  readonly ciphertexts: readonly string[];
}

/**
 * Reads what the parts of an archive are about.
 * @throws UserError naming the part that is no state, no history, or another stack's
 */
export function readContent(
  { project, stack, backend }: Pick<Manifest, "project" | "stack" | "backend">,
  parts: ReadonlyMap<string, Buffer>,
): Content {
  let deployment: Deployment | undefined;
  let updates = 0;
  for (const [name, bytes] of parts) {
    if (name.startsWith("settings/")) continue;
    try {
      const value: unknown = JSON.parse(uncompressed(name, bytes));
      if (name === cloudState) deployment = exported.parse(value).deployment;
      else if (name === cloudHistory) updates = z.array(anyObject).parse(value).length;
      else if (name.startsWith(`${backendFolder}stacks/`))
        deployment = checkpoint.parse(value).checkpoint.latest ?? {};
      else if (name.includes(".checkpoint.json")) checkpoint.parse(value);
      else {
        anyObject.parse(value);
        updates += 1;
      }
    } catch (error) {
      throw new UserError(`${name} cannot be read as what it should be: ${messageOf(error)}`);
    }
  }
  if (deployment === undefined) throw new UserError(`There is no state of ${stack} in it (${backend}).`);
  const urns = (deployment.resources ?? []).map(({ urn }) => urn);
  const foreign = urns.find((urn) => !urn.startsWith(`urn:pulumi:${stack}::${project}::`));
  if (foreign !== undefined) throw new UserError(`It holds a resource of another stack: ${foreign}`);
  return {
    deployment,
    urns,
    pending: (deployment.pending_operations ?? []).length,
    updates,
    ciphertexts: [...ciphertextsIn(deployment.resources ?? [])],
  };
}

export function contentOf({ manifest, parts }: Archive): Content {
  return readContent(manifest, parts);
}

function* ciphertextsIn(value: unknown): Iterable<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "ciphertext" && typeof inner === "string") yield inner;
    else yield* ciphertextsIn(inner);
  }
}
