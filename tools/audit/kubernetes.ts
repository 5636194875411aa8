import { z } from "zod";
import { clusterSchema } from "../../components/config/platform";
import { auditJob } from "../../components/monitoring/collecting";
import { parseLine, type Source, type Wanted } from "./entry";
import { literally, quoted, type Line } from "./loki";

const user = z.looseObject({ username: z.string().default("unknown") });

/** What is read of an event of audit.k8s.io/v1. */
const event = z.looseObject({
  auditID: z.string(),
  verb: z.string(),
  user,
  impersonatedUser: user.nullish(),
  sourceIPs: z.array(z.string()).nullish(),
  userAgent: z.string().nullish(),
  objectRef: z
    .looseObject({
      apiGroup: z.string().default(""),
      resource: z.string().default(""),
      subresource: z.string().default(""),
      namespace: z.string().default(""),
      name: z.string().default(""),
    })
    .nullish(),
  responseStatus: z.looseObject({ code: z.number().optional() }).nullish(),
});
type Event = z.infer<typeof event>;

/** Namespaces whose accounts are those of the cluster's and the platform's own programs. */
const ownNamespaces = ["kube-system", ...Object.keys(clusterSchema.parse({}).quotas)];
const ownAccounts = `system:(apiserver|node:.+|kube-.+|serviceaccount:(${ownNamespaces.join("|")}):.+)`;

const changing = "create|update|patch|delete|deletecollection";
// Asked with GET by newer clients, and no less an intervention.
const sessions = `(resource="pods" and subresource=~"exec|attach|portforward")`;

/** Changes; what is asked about rights, and what is only tried out, is none. */
const changes = (who: string) =>
  [
    `{job="${auditJob}", source="kubernetes"} != "dryRun=All"`,
    who,
    `| verb=~"${changing}" or ${sessions}`,
    '| resource!~".+reviews"',
  ].join(" ");

function query({ who, all }: Wanted): string {
  if (who !== undefined) return changes(`|~ ${quoted(`(?i)"username":"[^"]*${literally(who)}`)}`);
  return all ? changes("") : changes(`| who!~"${ownAccounts}"`);
}

/** What the API server was asked to change, by its audit log. */
export const kubernetes: Source = {
  query,
  hidden: ({ who, all }) => (who !== undefined || all ? undefined : changes(`| who=~"${ownAccounts}"`)),
  entry(line) {
    const parsed = event.safeParse(parseLine(line.text)).data ?? fromMetadata(line);
    const { user: signedIn, impersonatedUser: meant } = parsed;
    const through = meant === undefined || meant === null ? "" : ` (through ${signedIn.username})`;
    const { auditID, verb, objectRef: object, sourceIPs, userAgent, responseStatus } = parsed;
    const { code } = responseStatus ?? {};
    return {
      id: auditID,
      time: line.time,
      who: `${(meant ?? signedIn).username}${through}`,
      what: `${verb} ${described(object)}`,
      result: resultOf(code),
      details: { verb, object, code, sourceIPs, userAgent },
    };
  },
};

/** Of a line that was too long for Loki, its metadata is left. */
function fromMetadata({ time, labels }: Line): Event {
  const { verb = "change", who, resource = "", subresource = "", name = "", namespace = "" } = labels;
  return event.parse({
    auditID: labels.id ?? `${time}`,
    verb,
    user: { username: who },
    objectRef: { resource, subresource, name, namespace },
  });
}

/** Such as `rollouts.argoproj.io/inventory/status in inventory`. */
function described(object: Event["objectRef"]): string {
  const { apiGroup = "", resource = "", subresource = "", namespace = "", name = "" } = object ?? {};
  const kind = apiGroup === "" ? resource : `${resource}.${apiGroup}`;
  const path = [kind, name, subresource].filter((part) => part !== "").join("/");
  return namespace === "" || resource === "namespaces" ? path : `${path} in ${namespace}`;
}

function resultOf(code: number | undefined): string {
  if (code === undefined) return "unknown";
  if (code < 400) return "done";
  return code === 401 || code === 403 ? `refused (${code})` : `failed (${code})`;
}
