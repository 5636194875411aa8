import { Unanswered, type Answer, off } from "./control";
import type { Evidence } from "./evidence";

/** GitHub's own answers about the stack's repository. */
export interface LiveRepository {
  /** @param path below the repository, such as `/rules/branches/main` */
  get(path: string): Promise<unknown>;
}

const repositoryType = "github:index/repository:Repository";

/** Whether the stack is the one that the repository's settings belong to. */
export function ownsRepository(evidence: Evidence): boolean {
  return evidence.inputs(repositoryType).length > 0;
}

/** Why controls of the repository are no concern of the stack. */
export function repositoryOf({ stack }: Evidence): string {
  return `${stack} owns no repository; the stack with technova:github does`;
}

/**
 * Asks the policies about the state's settings, and then GitHub itself: settings there can be changed by hand. What the
 * state has wrong fails without GitHub; what it has right holds only once GitHub says so too.
 * @param live what is wrong on GitHub
 */
export async function onGithub(
  evidence: Evidence,
  policies: readonly string[],
  live: (repository: LiveRepository) => Promise<readonly string[]>,
): Promise<Answer> {
  if (!ownsRepository(evidence)) return off(repositoryOf(evidence));
  const stated = evidence.pack.onState(...policies);
  if (stated.verdict === "fails" || stated.verdict === "off") return stated;
  const name = String(evidence.inputs(repositoryType)[0]?.name ?? "");
  const owner = String(evidence.setting("github", "owner") ?? "");
  const base = `/repos/${owner}/${name}`;
  let wrong: readonly string[];
  try {
    wrong = await live({ get: (path) => evidence.github.get(`${base}${path}`) });
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    throw new Unanswered(`the state is as it must be, what GitHub has is not known: ${error.message}`);
  }
  if (wrong.length === 0)
    return { ...stated, evidence: `${owner}/${name} on GitHub, and ${stated.evidence}` };
  return {
    verdict: "fails",
    evidence: `${owner}/${name} on GitHub differs from the state; npm run up -- --refresh puts it back`,
    details: wrong,
  };
}
