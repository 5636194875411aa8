import { z } from "zod";
import type { Resource } from "../../policy/frame/objects";
import { UserError } from "../engine/report";
import { readState, type StackObject } from "../drift/state";
import { resourcesOfState } from "../policy/files";

/** What the last update left, as far as it says something about security. */
export interface StateEvidence {
  /** As the policies take them. */
  readonly resources: readonly Resource[];
  readonly objects: readonly StackObject[];
  /** What encrypts the state's secrets, such as `passphrase`. */
  readonly secretsProvider?: string;
}

const exported = z.looseObject({
  deployment: z.looseObject({ secrets_providers: z.looseObject({ type: z.string() }).optional() }),
});

/**
 * Reads what `pulumi stack export --show-secrets` prints. Values of secrets are in memory alone: policies have to see
 * them to find a password where none belongs.
 * @throws UserError when it is no exported state
 */
export function readEvidence(text: string): StateEvidence {
  const { objects } = readState(text);
  const value = JSON.parse(text) as object;
  const parsed = exported.safeParse(value);
  if (!parsed.success) throw new UserError("What `pulumi stack export` printed cannot be read as a state.");
  const secretsProvider = parsed.data.deployment.secrets_providers?.type;
  return {
    resources: resourcesOfState("state", value),
    objects,
    ...(secretsProvider === undefined ? {} : { secretsProvider }),
  };
}
