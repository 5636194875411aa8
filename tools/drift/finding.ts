import { pathText } from "../plugins/kubernetes/diff";
import { apiVersionOf, kindOf, nameOf, namespaceOf, type KubeObject } from "../plugins/kubernetes/object";
import type { PropertyValue } from "../plugins/rpc/values";
import type { Difference } from "./compare";
import type { Path, Writer } from "./managedFields";

/** One thing in which cluster and state differ. */
export interface Finding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /**
   * - `missing`: the stack has it, the cluster does not
   * - `replaced`: an object of this name that the stack did not make
   * - `changed`, `removed`: a field has another value, or is gone
   * - `added`: a field or an element of a list that the stack says nothing about
   * - `extra`: an object that the stack does not have, in one of its namespaces
   * - `pending`: a command was interrupted, and nobody has looked whether it had done this
   */
  readonly change: "missing" | "replaced" | "changed" | "removed" | "added" | "extra" | "pending";
  /** In words; never has the value of a secret. */
  readonly what: string;
  readonly writer?: Writer;
  /** The resource of the stack; an `extra` object has none. */
  readonly urn?: string;
  /** Whether the object has to go before the engine can make it what it should be. */
  readonly inTheWay?: boolean;
  /** Where an `added` field stands, and what was found there; not to be shown. */
  readonly path?: Path;
  readonly live?: PropertyValue;
}

/** What was added by hand: Pulumi does not see it, so it cannot take it away. */
export const isAddition = ({ change }: Finding): boolean => change === "added" || change === "extra";

export function findingOf(
  object: KubeObject,
  rest: Pick<Finding, "change" | "what" | "writer" | "urn" | "path" | "live" | "inTheWay">,
): Finding {
  return {
    apiVersion: apiVersionOf(object),
    kind: kindOf(object),
    namespace: namespaceOf(object),
    name: nameOf(object),
    ...rest,
  };
}

/** `Deployment inventory/web`. */
export function objectOf({ kind, namespace, name }: Finding): string {
  return `${kind} ${namespace === "" ? name : `${namespace}/${name}`}`;
}

/** What differs, in words. */
export function describeDifference(difference: Difference, isSecret: boolean): string {
  const { path, change, wanted, live } = difference;
  const field = pathText([...path]);
  if (change === "added") return `${field} was added`;
  if (change === "removed") return `${field} is gone`;
  const [is, was] = [shown(live), shown(wanted)];
  if (isSecret || mayHideSecret(path) || is === undefined || was === undefined)
    return `${field} has another value`;
  return `${field} is ${is}, not ${was}`;
}

/** Fields in which people put what nobody else should read. */
function mayHideSecret(path: Path): boolean {
  return path.some((step) =>
    ["data", "stringData", "binaryData", "env", "args", "command", "annotations"].includes(String(step)),
  );
}

const longest = 80;

function shown(value: PropertyValue | undefined): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value.length <= longest && !value.includes("\n")
    ? JSON.stringify(value)
    : undefined;
}
