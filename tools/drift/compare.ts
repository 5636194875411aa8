import type { KubeObject } from "../plugins/kubernetes/object";
import { isPropertyMap, sameValue, type PropertyMap, type PropertyValue } from "../plugins/rpc/values";
import { keysOfList, latestFirst, writersOf, type Path, type Writer } from "./managedFields";
import { isController, isPulumi } from "./writers";

/** One place in which a live object differs from what the stack says. */
export interface Difference {
  readonly path: Path;
  /**
   * `added` is what the stack says nothing about, and somebody wrote; `removed` is what it says and is gone.
   */
  readonly change: "changed" | "removed" | "added";
  readonly wanted?: PropertyValue;
  readonly live?: PropertyValue;
  /** Who changed it; unknown for what is gone. */
  readonly writer?: Writer;
}

/** The three views of one object. */
export interface Views {
  /** What the stack says, normalized. */
  readonly wanted: KubeObject;
  readonly live: KubeObject;
  /** The object as the last update left it, with what the cluster filled in. */
  readonly last: KubeObject;
}

type Value = PropertyValue | undefined;

/** Assigned by the cluster when an object is made, whoever makes it. */
const assigned = /^spec\.(clusterIPs?|ports\.\d+\.nodePort|healthCheckNodePort|volumeName|nodeName)\b/;

/**
 * Compares an object with what the stack says of it. What the cluster filled in is no difference, nor is what
 * a controller made of a field; what anybody else wrote is one, whether the stack says something of the field
 * or not.
 */
export function compareObject(views: Views, isIgnored: (path: Path) => boolean): Difference[] {
  return new Comparison(views, isIgnored).all();
}

class Comparison {
  constructor(
    private readonly views: Views,
    private readonly isIgnored: (path: Path) => boolean,
  ) {}

  all(): Difference[] {
    const { wanted, live, last } = this.views;
    const keys = Object.keys({ ...wanted, ...live }).filter(
      (key) => !["apiVersion", "kind", "metadata", "status"].includes(key),
    );
    const metadata = (object: KubeObject, key: string): Value =>
      isPropertyMap(object.metadata) ? object.metadata[key] : undefined;
    return [
      ...["labels", "annotations"].flatMap((key) =>
        this.values(["metadata", key], metadata(wanted, key), metadata(live, key), metadata(last, key)),
      ),
      ...keys.flatMap((key) => this.values([key], wanted[key], live[key], last[key])),
    ];
  }

  private values(path: Path, wanted: Value, live: Value, last: Value): Difference[] {
    if (this.isIgnored(path)) return [];
    const isMissing = wanted === undefined || wanted === null;
    if (live === undefined || live === null)
      return isMissing || isContainerOfNothing(wanted) ? [] : this.removed(path, wanted, last);
    if (isMissing) return this.added(path, live, last);
    if (isPropertyMap(wanted) && isPropertyMap(live)) return this.maps(path, wanted, live, last);
    if (Array.isArray(wanted) && Array.isArray(live)) return this.lists(path, wanted, live, last);
    if (sameValue(wanted, live)) return [];
    return this.changed(path, wanted, live, last);
  }

  private maps(path: Path, wanted: PropertyMap, live: PropertyMap, last: Value): Difference[] {
    return Object.keys({ ...wanted, ...live }).flatMap((key) =>
      this.values([...path, key], wanted[key], live[key], isPropertyMap(last) ? last[key] : undefined),
    );
  }

  private lists(path: Path, wanted: PropertyValue[], live: PropertyValue[], last: Value): Difference[] {
    const before = Array.isArray(last) ? last : [];
    const differences: Difference[] = [];
    const pairs = pairElements(wanted, live, keysOfList(this.views.live, path));
    for (const [of, at] of pairs) {
      const place = [...path, at ?? of ?? 0];
      const element = at === undefined ? undefined : live[at];
      const expected = of === undefined ? undefined : wanted[of];
      // An element of a list is there or not, whatever is in it.
      if (expected === undefined && element !== undefined) {
        const known = before.find((candidate) => sameValue(candidate, element));
        differences.push(...this.asAdded(place, element, known));
      } else differences.push(...this.values(place, expected, element, before[of ?? 0]));
    }
    return differences;
  }

  private changed(path: Path, wanted: PropertyValue, live: PropertyValue, last: Value): Difference[] {
    const [writer] = this.strangers(path);
    if (writer === undefined) {
      if (writersOf(this.views.live, path).some(isController)) return [];
      // What the API server made of the value when it was applied.
      if (sameValue(live, last)) return [];
    }
    return [{ path, change: "changed", wanted, live, writer }];
  }

  private removed(path: Path, wanted: PropertyValue, last: Value): Difference[] {
    return last === undefined || last === null ? [] : [{ path, change: "removed", wanted }];
  }

  /** As far up as everything below was added: a container is one thing, its fields are not. */
  private added(path: Path, live: PropertyValue, last: Value): Difference[] {
    if (!isPropertyMap(live) || Object.keys(live).length === 0) return this.asAdded(path, live, last);
    const below = Object.entries(live).map(([key, value]) =>
      this.values([...path, key], undefined, value, isPropertyMap(last) ? last[key] : undefined),
    );
    const whole = below.every(
      ([first, ...others]) => first?.path.length === path.length + 1 && !others.length,
    );
    const [first] = below.flat();
    return whole && first !== undefined
      ? [{ path, change: "added", live, writer: first.writer }]
      : below.flat();
  }

  private asAdded(path: Path, live: PropertyValue, last: Value): Difference[] {
    const [writer] = this.strangers(path);
    if (writer === undefined || assigned.test(path.join("."))) return [];
    const wasThere = sameValue(live, last) && !this.strangers(path, this.views.last).length;
    return wasThere ? [] : [{ path, change: "added", live, writer }];
  }

  /** Those who manage a field and are neither this tool nor a controller, the latest first. */
  private strangers(path: Path, object = this.views.live): Writer[] {
    return writersOf(object, path)
      .filter((writer) => !isPulumi(writer) && !isController(writer))
      .sort(latestFirst);
  }
}

type Pair = readonly [wanted: number | undefined, live: number | undefined];

/** Which element of the one list is which of the other. */
function pairElements(
  wanted: PropertyValue[],
  live: PropertyValue[],
  keys: readonly string[] | undefined,
): Pair[] {
  const taken = new Set<number>();
  const find = (element: PropertyValue, matches: (candidate: PropertyValue) => boolean, from = 0) => {
    const index = live.findIndex((candidate, at) => at >= from && !taken.has(at) && matches(candidate));
    if (index >= 0) taken.add(index);
    return index < 0 ? undefined : index;
  };
  let pairs: Pair[];
  if (keys !== undefined) {
    pairs = wanted.map((element, of) => [of, find(element, (other) => isSameElement(element, other, keys))]);
  } else {
    // Without keys the order counts: either all elements are there, with others between them, or each has its
    // place.
    let from = 0;
    pairs = wanted.map((element, of) => {
      const at = find(element, (other) => covers(other, element), from);
      from = at === undefined ? from : at + 1;
      return [of, at];
    });
    if (pairs.some(([, at]) => at === undefined)) {
      taken.clear();
      pairs = wanted.map((_, index) => [index, index < live.length ? index : undefined]);
      for (const [, at] of pairs) if (at !== undefined) taken.add(at);
    }
  }
  const others = live.map((_, at) => at).filter((at) => !taken.has(at));
  return [...pairs, ...others.map((at): Pair => [undefined, at])];
}

/** A key that one of them leaves out has its default in the other. */
function isSameElement(wanted: PropertyValue, live: PropertyValue, keys: readonly string[]): boolean {
  if (!isPropertyMap(wanted) || !isPropertyMap(live)) return sameValue(wanted, live);
  return keys.every((key) => wanted[key] === undefined || sameValue(wanted[key], live[key]));
}

/** Whether `live` has everything that `wanted` has. */
function covers(live: Value, wanted: PropertyValue): boolean {
  if (isPropertyMap(live) && isPropertyMap(wanted))
    return Object.entries(wanted).every(([key, value]) => covers(live[key], value));
  if (Array.isArray(live) && Array.isArray(wanted))
    return live.length === wanted.length && wanted.every((value, index) => covers(live[index], value));
  return live === undefined ? isEmpty(wanted) : sameValue(live, wanted);
}

function isContainerOfNothing(value: PropertyValue): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isPropertyMap(value) && Object.keys(value).length === 0;
}

function isEmpty(value: PropertyValue): boolean {
  return isContainerOfNothing(value) || value === null || value === "" || value === false || value === 0;
}
