import type { Fields } from "../rpc/fields";

/** Any values; when one of them changes, so does the random value. */
export const KEEPERS: Fields = { keepers: { type: "map" } };
