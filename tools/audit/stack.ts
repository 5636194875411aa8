import type { Source } from "./entry";
import { literally, nanoseconds, quoted } from "./loki";
import { parseStackEvent, stackQuery, type StackEvent } from "./trail";

/** What was done to the stack as a whole. */
export const stack: Source = {
  query({ stack: name, who }) {
    const filter = who === undefined ? "" : ` | who=~${quoted(`(?i).*${literally(who)}.*`)}`;
    return `${stackQuery(name)}${filter}`;
  },
  late: true,
  entry({ text }) {
    const event = parseStackEvent(text);
    if (event === undefined) return undefined;
    const { id, who, result, at } = event;
    return {
      id,
      time: nanoseconds(new Date(at)),
      who,
      what: described(event),
      result: result === "succeeded" ? "done" : result,
      details: event,
    };
  },
};

/** Such as `update: 2 updated; version 1.0.1; changed technova:application.version; commit 3f1c2d4a "More logs"`. */
function described({ kind, resources, version, changed, commit, message }: StackEvent): string {
  const counted = Object.entries(resources)
    .filter(([operation, count]) => operation !== "same" && count > 0)
    .map(([operation, count]) => `${count} ${operation}`);
  const parts = [
    counted.join(", "),
    version === undefined ? "" : `version ${version}`,
    changed.length === 0 ? "" : `changed ${changed.join(", ")}`,
    commit === undefined ? "" : `commit ${commit.slice(0, 8)}${commit.endsWith("*") ? "*" : ""}`,
    message === "" ? "" : `"${message}"`,
  ];
  return `${kind}: ${parts.filter((part) => part !== "").join("; ")}`;
}
