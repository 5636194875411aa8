import { z } from "zod";
import { auditJob } from "../../components/monitoring/collecting";
import { parseLine, type Source } from "./entry";
import { literally, nanoseconds, quoted } from "./loki";

const text = z.string().nullish();

/** What is read of an event of an organisation's audit log. */
const event = z.looseObject({
  _document_id: z.string(),
  /** In milliseconds since 1970. */
  "@timestamp": z.number().optional(),
  action: z.string(),
  actor: text,
  org: text,
  repo: text,
  user: text,
  team: text,
  name: text,
});

const named = ["user", "team", "name"] as const;

/** What was changed in the organisation on GitHub, by its audit log. */
export const github: Source = {
  query({ who }) {
    const filter = who === undefined ? "" : ` | who=~${quoted(`(?i).*${literally(who)}.*`)}`;
    return `{job="${auditJob}", source="github"}${filter}`;
  },
  late: true,
  entry({ text: line, time }) {
    const parsed = event.safeParse(parseLine(line)).data;
    if (parsed === undefined) return undefined;
    const moment = parsed["@timestamp"];
    const { _document_id: id, action, actor, org, repo } = parsed;
    const about = named.flatMap((field) => {
      const value = parsed[field];
      return value && value !== actor && value !== repo ? [`${field} ${value}`] : [];
    });
    return {
      id,
      time: moment === undefined ? time : nanoseconds(moment),
      who: actor || "unknown",
      what: [action, repo ?? org ?? "", ...about].filter((part) => part !== "").join(" "),
      result: "done",
      details: parsed,
    };
  },
};
