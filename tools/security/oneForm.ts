import { isPropertyMap, type PropertyMap, type PropertyValue } from "../plugins/rpc/values";

/**
 * A value as one text, the same of a state and of a cluster: keys in one order, no empty lists.
 * @param filledIn a map with what the API server fills in
 */
export function inOneForm(
  value: PropertyValue | undefined,
  filledIn: (map: PropertyMap) => PropertyMap,
): string {
  return JSON.stringify(ordered(value, filledIn) ?? null);
}

function ordered(
  value: PropertyValue | undefined,
  filledIn: (map: PropertyMap) => PropertyMap,
): PropertyValue | undefined {
  if (Array.isArray(value))
    return value.length === 0 ? undefined : value.map((each) => ordered(each, filledIn) ?? null);
  if (!isPropertyMap(value)) return value;
  const given = filledIn(value);
  return Object.fromEntries(
    Object.keys(given)
      .sort()
      .flatMap((key) => {
        const kept = ordered(given[key], filledIn);
        return kept === undefined ? [] : [[key, kept] as const];
      }),
  );
}
