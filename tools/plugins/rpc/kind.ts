import type { Fields } from "./fields";
import type { CheckFailure } from "./provider";
import type { PropertyMap } from "./values";

export interface Generated {
  readonly id: string;
  readonly outputs: PropertyMap;
}

export interface Adopted extends Generated {
  /** The arguments that it is taken to have been made with. */
  readonly values: PropertyMap;
}

/**
 * One type of resource that exists in state alone: it is made once, kept, and made anew when its arguments change.
 * Property names, ids and secrets are the official plugin's, so that it can take over.
 */
export interface Kind {
  readonly fields: Fields;
  /** Arguments that can change without making it anew. */
  readonly changeable?: readonly string[];
  /** Outputs besides the arguments; unknown in a preview. */
  readonly computed: readonly string[];
  /** Arguments and outputs that are kept encrypted. */
  readonly secrets: readonly string[];
  /** Version of the state's shape, which the official plugin reads to know whether to convert it. */
  readonly schemaVersion?: number;
  /** False where the official plugin keeps the id out of the outputs. Default: true. */
  readonly idIsOutput?: boolean;
  /** What is wrong with arguments that are each all right; only called when all are known. */
  readonly failures?: (values: PropertyMap) => CheckFailure[];
  /** Brings arguments that say the same thing into line. */
  readonly normalize?: (values: PropertyMap) => PropertyMap;
  /** Arguments come without secrets. */
  readonly generate: (values: PropertyMap) => Generated | Promise<Generated>;
  /** The output that says that it is time to make it anew, if it is. */
  readonly expired?: (values: PropertyMap) => string | undefined;
  /** A resource that is imported by id; missing where there is no way to tell. */
  readonly adopt?: (importId: string) => Adopted | Promise<Adopted>;
}
