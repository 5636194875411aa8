import type { Line } from "./loki";

export const sourceNames = ["kubernetes", "github", "stack"] as const;
export type SourceName = (typeof sourceNames)[number];

/** Who changed what and when, wherever it was written down. */
export interface Entry {
  /** What tells it from every other of its source: the same may have been written down twice. */
  readonly id: string;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly source: SourceName;
  readonly who: string;
  readonly what: string;
  /** `done`, or what became of it instead. */
  readonly result: string;
  /** What else is known, for programs. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Wanted {
  readonly stack: string;
  /** Part of a name, in upper or lower case. */
  readonly who?: string;
  /** Also what the accounts of the cluster and of the platform itself do. */
  readonly all: boolean;
}

/** A place where changes are written down. */
export interface Source {
  /** A query of LogQL whose answer has all that is wanted, and may have more. */
  query(wanted: Wanted): string;
  /** One for what is left out of it. */
  hidden?(wanted: Wanted): string | undefined;
  /** @returns undefined for a line that is about no change */
  entry(line: Line): Omit<Entry, "source"> | undefined;
  /** Whether what happened early may have been written down late. */
  readonly late?: true;
}

export function contains(text: string, part: string | undefined): boolean {
  return part === undefined || text.toLowerCase().includes(part.toLowerCase());
}

/** A line that is JSON, and one that was cut and is none any more. */
export function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
