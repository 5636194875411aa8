import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { answer, Unanswered, type Control } from "../control";
import type { Evidence } from "../evidence";
import { onGithub, type LiveRepository } from "../repository";

const branches = ["main", "develop"] as const;

/** How a change gets from somebody's machine into the cluster. */
export const pipelineControls: readonly Control[] = [
  {
    id: "history-is-kept",
    title: "Nobody deletes or rewrites main and develop",
    against: "A commit that disappears, and with it who made it.",
    where: "components/github/ruleset.ts; policies branches-protected, no-rewritten-history",
    ask: (evidence) =>
      onGithub(evidence, ["branches-protected", "no-rewritten-history"], (repository) =>
        onEachBranch(repository, (rules) =>
          ["deletion", "non_fast_forward"]
            .filter((type) => !rules.some((rule) => rule.type === type))
            .map((type) => `has no rule ${type}`),
        ),
      ),
  },
  {
    id: "changes-are-reviewed",
    title: "A change needs the review of somebody else",
    against: "One stolen account that is enough to change the platform.",
    where: "components/github/ruleset.ts; policies reviews-required, code-owner-review",
    ask: (evidence) =>
      onGithub(evidence, ["reviews-required", "code-owner-review"], (repository) =>
        onEachBranch(repository, (rules) => {
          const { parameters = {} } = rules.find(({ type }) => type === "pull_request") ?? {};
          const reviews = Number(parameters.required_approving_review_count ?? 0);
          return reviews >= 1 ? [] : ["asks for no review"];
        }),
      ),
  },
  {
    id: "commits-are-signed",
    title: "Commits on main say who made them, and prove it",
    against: "A commit under another's name.",
    where: "components/github/ruleset.ts; policy signed-commits",
    ask: (evidence) =>
      onGithub(evidence, ["signed-commits"], async (repository) => {
        const rules = await rulesOf(repository, "main");
        return rules.some(({ type }) => type === "required_signatures")
          ? []
          : ["main takes unsigned commits"];
      }),
  },
  {
    id: "checks-are-required",
    title: "A change is merged only when its tests and previews have passed",
    against: "A change that breaks a defence, and nobody has run the tests.",
    where: "components/github/ruleset.ts; policy required-status-checks",
    ask: (evidence) =>
      onGithub(evidence, ["required-status-checks"], (repository) =>
        onEachBranch(repository, (rules) => {
          const { parameters = {} } = rules.find(({ type }) => type === "required_status_checks") ?? {};
          const checks = checksOf.safeParse(parameters.required_status_checks).data ?? [];
          return checks.length > 0 ? [] : ["requires no check"];
        }),
      ),
  },
  {
    id: "nobody-is-exempt",
    title: "The rules are administrators' too",
    against: "An administrator's account, which would otherwise be above all of it.",
    where: "components/github/ruleset.ts, environment.ts; policy no-admin-bypass",
    ask: (evidence) =>
      onGithub(evidence, ["no-admin-bypass"], (repository) => exemptions(evidence, repository)),
  },
  {
    id: "deployments-are-approved",
    title: "Production is deployed to when somebody has approved it, from its branch alone",
    against: "A workflow of any branch that takes production's secrets.",
    where: "components/github/environment.ts; policies environments-reviewed, environments-name-branches",
    ask: (evidence) =>
      onGithub(evidence, ["environments-reviewed", "environments-name-branches"], async (repository) => {
        const found = environment.optional().parse(await repository.get("/environments/production"));
        if (found === undefined) return ["the environment production is not there"];
        const reviewers = found.protection_rules.find(({ type }) => type === "required_reviewers")?.reviewers;
        return [
          ...((reviewers ?? []).length > 0 ? [] : ["production has no reviewers"]),
          ...(found.deployment_branch_policy ? [] : ["production takes every branch"]),
        ];
      }),
  },
  {
    id: "tokens-can-read-only",
    title: "A workflow's token reads, unless its job asks for more",
    against: "An action that somebody has taken over, and that writes with the workflow's token.",
    where: "components/github/actions.ts; policy read-only-workflow-token",
    ask: (evidence) =>
      onGithub(evidence, ["read-only-workflow-token"], async (repository) => {
        const found = workflowToken.parse(await repository.get("/actions/permissions/workflow"));
        return [
          ...(found.default_workflow_permissions === "read" ? [] : ["the token may write"]),
          ...(found.can_approve_pull_request_reviews ? ["workflows may approve pull requests"] : []),
        ];
      }),
  },
  {
    id: "actions-are-chosen",
    title: "Workflows use chosen actions, by their commit",
    against: "An action whose tag is moved to other code.",
    where: "components/github/actions.ts; policies allowed-actions, pinned-actions",
    ask: (evidence) =>
      onGithub(evidence, ["allowed-actions", "pinned-actions"], async (repository) => {
        const found = actions.parse(await repository.get("/actions/permissions"));
        return [
          ...(found.allowed_actions === "all" ? ["every action is allowed"] : []),
          ...(found.sha_pinning_required === true ? [] : ["actions need not be named by their commit"]),
        ];
      }),
  },
  {
    id: "workflows-are-pinned",
    title: "Each workflow names its actions by their commit, and what its token may do",
    against: "Code of others that changes under the workflow's hands, with more rights than it needs.",
    where: ".github/workflows",
    ask: (evidence) => workflows(evidence, unpinned),
  },
  {
    id: "one-way-to-deploy",
    title: "Workflows deploy through the policies alone, and strangers' code gets no secret",
    against:
      "A deployment that no policy has seen; a fork's pull request that runs with the repository's secrets.",
    where: ".github/workflows; npm run up always passes the pack",
    ask: (evidence) =>
      workflows(evidence, ({ on }, steps) => [
        ...(JSON.stringify(on ?? "").includes("pull_request_target") ? ["runs on pull_request_target"] : []),
        ...steps
          .map(({ run }) => run ?? "")
          .filter((run) =>
            /\b(pulumi (up|destroy)|kubectl (apply|create|patch)|helm (install|upgrade))\b/.test(run),
          )
          .map((run) => `deploys past the policies: ${run.split("\n")[0]}`),
      ]),
  },
];

const rule = z.looseObject({ type: z.string(), parameters: z.record(z.string(), z.unknown()).optional() });
const checksOf = z.array(z.looseObject({ context: z.string() }));
const ruleset = z.looseObject({
  id: z.number(),
  name: z.string(),
  bypass_actors: z.array(z.unknown()).nullish(),
});
const environment = z.looseObject({
  can_admins_bypass: z.boolean().nullish(),
  protection_rules: z
    .array(z.looseObject({ type: z.string(), reviewers: z.array(z.unknown()).optional() }))
    .default([]),
  deployment_branch_policy: z.looseObject({}).nullish(),
});
const workflowToken = z.looseObject({
  default_workflow_permissions: z.string(),
  can_approve_pull_request_reviews: z.boolean(),
});
const actions = z.looseObject({
  allowed_actions: z.string().default("all"),
  sha_pinning_required: z.boolean().optional(),
});
type Rule = z.infer<typeof rule>;

/** The rules that are in force on a branch, from whatever ruleset they come. */
async function rulesOf(repository: LiveRepository, branch: string): Promise<readonly Rule[]> {
  return z.array(rule).parse((await repository.get(`/rules/branches/${branch}`)) ?? []);
}

async function onEachBranch(
  repository: LiveRepository,
  wrongIn: (rules: readonly Rule[]) => readonly string[],
): Promise<readonly string[]> {
  const found = branches.map(async (branch) =>
    wrongIn(await rulesOf(repository, branch)).map((wrong) => `${branch} ${wrong}`),
  );
  return (await Promise.all(found)).flat();
}

/** Rulesets, and the state's environments, that somebody may pass by. */
async function exemptions(evidence: Evidence, repository: LiveRepository): Promise<readonly string[]> {
  const rulesets = z.array(ruleset).parse((await repository.get("/rulesets?per_page=100")) ?? []);
  if (rulesets.length === 0) throw new Unanswered("GitHub shows no ruleset");
  // The list never names who is exempt; a ruleset by its id does, to who may write it.
  const ofRulesets = rulesets.map(async ({ id, name }) => {
    const found = ruleset.optional().parse(await repository.get(`/rulesets/${id}`));
    const actors = found?.bypass_actors ?? undefined;
    return { rules: `the ruleset ${name}`, exempt: actors && actors.length > 0 };
  });
  const ofEnvironments = evidence.inputs(environmentType).map(async ({ environment: name }) => {
    const path = `/environments/${encodeURIComponent(String(name))}`;
    const found = environment.optional().parse(await repository.get(path));
    return { rules: `the environment ${String(name)}`, exempt: found?.can_admins_bypass ?? undefined };
  });
  const all = await Promise.all([...ofRulesets, ...ofEnvironments]);
  const open = all.filter(({ exempt }) => exempt === true);
  const untold = all.find(({ exempt }) => exempt === undefined);
  if (open.length === 0 && untold !== undefined)
    throw new Unanswered(`GitHub tells an administrator alone whom ${untold.rules} exempts`);
  return open.map(({ rules }) => `${rules} exempts somebody`);
}

const environmentType = "github:index/repositoryEnvironment:RepositoryEnvironment";

const step = z.looseObject({ uses: z.string().optional(), run: z.string().optional() });
const workflow = z.looseObject({
  on: z.unknown(),
  permissions: z.union([z.string(), z.record(z.string(), z.string())]).optional(),
  jobs: z.record(
    z.string(),
    z.looseObject({ uses: z.string().optional(), steps: z.array(step).default([]) }),
  ),
});
type Workflow = z.infer<typeof workflow>;
type Step = z.infer<typeof step>;

const folder = ".github/workflows";

function workflows(
  evidence: Evidence,
  wrongIn: (parsed: Workflow, steps: readonly Step[]) => readonly string[],
) {
  const names = readdirSync(join(evidence.sources.root, folder)).filter((name) => /\.ya?ml$/.test(name));
  if (names.length === 0) throw new Unanswered(`${folder} has no workflow`);
  const wrong = names.flatMap((name) => {
    const parsed = workflow.parse(parse(evidence.file(`${folder}/${name}`)));
    const steps = Object.values(parsed.jobs).flatMap(({ uses, steps: own }) => [
      { uses, run: undefined },
      ...own,
    ]);
    return wrongIn(parsed, steps).map((found) => `${name}: ${found}`);
  });
  return answer(names.map((name) => `${folder}/${name}`).join(", "), wrong);
}

function unpinned({ permissions }: Workflow, steps: readonly Step[]): readonly string[] {
  const used = steps.flatMap(({ uses }) => (uses === undefined || uses.startsWith("./") ? [] : [uses]));
  const moving = used.filter((uses) => !/@([0-9a-f]{40}|sha256:[0-9a-f]{64})$/.test(uses));
  const wide = typeof permissions === "string" ? permissions !== "read-all" : permissions === undefined;
  return [
    ...moving.map((uses) => `${uses} is not named by its commit`),
    ...(wide ? ["does not say what its token may do"] : []),
    ...Object.entries(typeof permissions === "object" ? permissions : {})
      .filter(([, right]) => right === "write")
      .map(([of]) => `its token may write ${of} in every job`),
  ];
}
