import { Unanswered } from "./control";

/** What GitHub itself says, as opposed to what the state says of it. */
export interface GithubApi {
  /** The parsed answer; undefined when there is nothing. @throws Unanswered when GitHub does not tell */
  get(path: string): Promise<unknown>;
}

/** @param env `GITHUB_TOKEN`, and `GITHUB_API_URL` for GitHub Enterprise Server, as in Actions */
export function githubApi(env: NodeJS.ProcessEnv, request: typeof fetch = fetch): GithubApi {
  const { GITHUB_TOKEN: token, GITHUB_API_URL: base = "https://api.github.com" } = env;
  return {
    async get(path) {
      if (!token) throw new Unanswered("GITHUB_TOKEN is not set");
      const headers = { authorization: `Bearer ${token}`, accept: "application/vnd.github+json" };
      let response: Response;
      try {
        response = await request(`${base}${path}`, { headers, signal: AbortSignal.timeout(10_000) });
      } catch (error) {
        throw new Unanswered(`GitHub does not answer: ${(error as Error).message}`);
      }
      if (response.status === 404) return undefined;
      if (!response.ok)
        throw new Unanswered(`GitHub refuses it (${response.status}): the token may not read ${path}`);
      return response.status === 204 ? {} : response.json();
    },
  };
}
