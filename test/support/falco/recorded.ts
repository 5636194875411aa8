import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "./evaluate";

/** An event of a container, and the rule that it is one of. */
export interface Recorded {
  readonly what: string;
  /** Whose container: a name of `where.json`. */
  readonly where: string;
  /** What the event has beyond, or instead of, what every event of that container has. */
  readonly event: Event;
  /** The rule that it is an event of; left out where nothing is wrong. */
  readonly rule?: string;
}

const folder = join(__dirname, "../../components/addons/falco/events");
const read = <T>(name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as T;
const where = read<Record<string, Event>>("where");

export const recorded = ["programs", "files", "privileges", "network"].flatMap((name) =>
  read<Recorded[]>(name),
);

/** All fields of a recorded event. */
export function whole({ where: container, event }: Pick<Recorded, "where" | "event">): Event {
  const usual = where[container];
  if (usual === undefined) throw new Error(`events/where.json has no ${container}`);
  return { ...usual, ...event };
}
