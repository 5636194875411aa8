import { parseAgent } from "../engine/agent";
import { isMapping } from "./differences";
import type { Config, Update } from "./update";

/** What an update was about, as far as its entry says it. */
export interface Facts {
  /** The application's. */
  readonly version?: string;
  readonly schemaRevision?: string;
  /** Digest that the settings name; a built image has its digest in what the update left behind. */
  readonly digest?: string;
  readonly built: boolean;
  /** Full hash of the program's commit. */
  readonly commit?: string;
  /** Whether the program had changes that are in no commit. */
  readonly dirty: boolean;
  readonly who: string;
  /** ID of the update that this one went back to. */
  readonly rolledBackTo?: string;
}

/** @param project the Pulumi project, whose key `application` has the service's settings */
export function factsOf(update: Update, project: string): Facts {
  const { environment } = update;
  const application = applicationOf(update.config, project);
  const image = isMapping(application.image) ? application.image : {};
  const agent = parseAgent(environment["exec.agent"]);
  const person = environment["git.committer"] ?? environment["git.author"];
  return {
    version: textOf(application.version),
    schemaRevision: textOf(application.schemaRevision),
    digest: textOf(image.digest),
    built: image.build !== undefined,
    commit: environment["git.head"],
    dirty: environment["git.dirty"] === "true",
    who: update.requestedBy ?? agent.user ?? (person === undefined ? "unknown" : `${person} (commit)`),
    rolledBackTo: agent.rolledBackTo,
  };
}

export function applicationOf(config: Config, project: string): Readonly<Record<string, unknown>> {
  const application = config[`${project}:application`];
  return isMapping(application) ? application : {};
}

/** `sha256:…` of a reference. */
export function digestOf(reference: string | undefined): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(reference ?? "")?.[1];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
