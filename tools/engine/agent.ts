import { hostname, userInfo } from "node:os";

/**
 * What the platform's commands write into the history about themselves, beside what the CLI writes by itself: who ran
 * them, which no backend that keeps files knows, and the update that a rollback went back to.
 */
export interface Agent {
  /** Such as `alice@laptop`, or an account of the pipeline that ran the command. */
  readonly user?: string;
  /** ID of the update whose state came back; `part` where not the whole of it did. */
  readonly rolledBackTo?: string;
}

const name = "technova-platform";

/** Text for `--exec-agent`, which the history keeps as `exec.agent`. */
export function executionAgent(agent: Agent): string {
  const parts = [
    agent.user === undefined ? [] : [`user=${agent.user.replace(/\s+/g, "_")}`],
    agent.rolledBackTo === undefined ? [] : [`rollback=${agent.rolledBackTo}`],
  ];
  return [name, ...parts.flat()].join(" ");
}

/** Reads it again; of other agents nothing is known. */
export function parseAgent(text: string | undefined): Agent {
  const [first, ...parts] = (text ?? "").split(" ");
  if (first !== name) return {};
  const fields = new Map(parts.map((part) => [part.split("=", 1).join(), part.slice(part.indexOf("=") + 1)]));
  return { user: fields.get("user"), rolledBackTo: fields.get("rollback") };
}

/** Who runs this: whoever started the pipeline, else the account and the machine. */
export function runBy(env: NodeJS.ProcessEnv): string {
  return env.GITHUB_ACTOR || env.GITLAB_USER_LOGIN || `${userName()}@${hostname()}`;
}

/** The account that runs this; its number where it has no name. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user need not be in its list of users.
    return String(process.getuid?.() ?? "unknown");
  }
}
