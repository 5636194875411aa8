import type { CheckFailure } from "../rpc/provider";
import type { PropertyMap } from "../rpc/values";
import type { Fields } from "./arguments";

export interface Generated {
  readonly id: string;
  readonly outputs: PropertyMap;
}

/** One type of resource. Property names, ids and secrets are the official plugin's, so it can take over. */
export interface Kind {
  readonly fields: Fields;
  /** Outputs besides the arguments; unknown in a preview. */
  readonly computed: readonly string[];
  /** Those of them that are kept encrypted. */
  readonly secrets: readonly string[];
  /** Version of the state's shape, which the official plugin reads to know whether to convert it. */
  readonly schemaVersion?: number;
  /** False where the official plugin keeps the id out of the outputs. Default: true. */
  readonly idIsOutput?: boolean;
  /** What is wrong with arguments that are each all right; only called when all are known. */
  readonly failures?: (values: PropertyMap) => CheckFailure[];
  /** Brings arguments that say the same thing into line. */
  readonly normalize?: (values: PropertyMap) => PropertyMap;
  readonly generate: (values: PropertyMap) => Generated | Promise<Generated>;
  /** The arguments and outputs of a resource that is imported by id; missing where there is no way to tell. */
  readonly adopt?: (importId: string) => Adopted | Promise<Adopted>;
}

export interface Adopted extends Generated {
  readonly values: PropertyMap;
}

export const KEEPERS: Fields = { keepers: { type: "map" } };
