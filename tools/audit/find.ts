import { contains, sourceNames, type Entry, type Source, type SourceName, type Wanted } from "./entry";
import { github } from "./github";
import { kubernetes } from "./kubernetes";
import type { Loki, Range } from "./loki";
import { stack } from "./stack";

const sources: Readonly<Record<SourceName, Source>> = { kubernetes, github, stack };

export interface Search extends Wanted {
  readonly range: Range;
  /** One source; all of them if left out. */
  readonly source?: SourceName;
  /** Part of the text that says what was changed, in upper or lower case. */
  readonly what?: string;
  readonly limit: number;
}

export interface Found {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** Whether there are older ones. */
  readonly more: boolean;
  /** How many changes the cluster's and the platform's own accounts made, where they are left out. */
  readonly hidden: number;
}

/** Looks through the whole trail. @throws NoLoki, and the API server's errors; see `explained` */
export async function find(loki: Loki, search: Search): Promise<Found> {
  const names = search.source === undefined ? sourceNames : [search.source];
  const [found, hidden] = await Promise.all([
    Promise.all(names.map((name) => inSource(loki, name, search))),
    Promise.all(names.map((name) => hiddenIn(loki, name, search))),
  ]);
  const entries = found.flat().sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
  return {
    entries: entries.slice(0, search.limit),
    more: entries.length > search.limit,
    hidden: hidden.reduce((sum, count) => sum + count, 0),
  };
}

/** One more than asked for, so that it is known whether there are more; all where the order is not known before. */
async function inSource(loki: Loki, name: SourceName, search: Search): Promise<Entry[]> {
  const source = sources[name];
  const found = new Map<string, Entry>();
  for await (const line of loki.newestFirst(source.query(search), search.range)) {
    const entry = source.entry(line);
    if (entry === undefined || found.has(entry.id)) continue;
    if (!contains(entry.who, search.who) || !contains(entry.what, search.what)) continue;
    if (entry.time < search.range.from) continue;
    found.set(entry.id, { ...entry, source: name });
    if (found.size > search.limit && !source.late) break;
  }
  return [...found.values()];
}

async function hiddenIn(loki: Loki, name: SourceName, search: Search): Promise<number> {
  const query = sources[name].hidden?.(search);
  return query === undefined || search.what !== undefined ? 0 : loki.count(query, search.range);
}
