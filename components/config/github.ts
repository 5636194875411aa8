import { z } from "zod";
import { field, listOf, mapOf, section } from "./field";
import { flag, strings, text, wholeNumber, word } from "./values";

/** Environment variables and secrets of Actions; GitHub reserves its own prefix. */
const namePattern = /^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/;
const nameRule = "upper-case letters, digits and underscores, not starting with GITHUB_";
const variableNames = () => listOf(`a list of names: ${nameRule}`, text(nameRule, namePattern)).default([]);
const variables = () => strings(`an object of strings whose keys are ${nameRule}`, namePattern).default({});

const slug = (what: string) =>
  text(`${what}: letters, digits, hyphens, underscores and full stops`, /^[A-Za-z0-9._-]+$/, 100);

const ruleset = section({
  /** Reviews that a pull request needs. */
  approvals: wholeNumber(0, 6).default(1),
  /** Whether one of them has to be by a code owner. */
  codeOwnerReview: flag().default(false),
  /** Whether commits have to be signed. */
  signedCommits: flag().default(false),
  /** Names of the checks that have to pass. */
  requiredChecks: listOf("a list of check names", text("a name", /\S/)).default([]),
});

const environment = section({
  /**
   * Teams of which one has to approve a deployment, by id: `gh api orgs/<owner>/teams/<slug> --jq .id`. GitHub takes
   * six at most; looking slugs up would need the network in every preview.
   */
  reviewerTeamIds: field(
    "a list of at most 6 team ids, which are whole numbers",
    z.array(z.int().min(1)).max(6),
  ).default([]),
  /** Waiting time before a deployment begins. */
  waitMinutes: wholeNumber(0, 43_200).default(0),
  /** Whether who started a deployment may not approve it. */
  preventSelfReview: flag().default(true),
  /** The branch that may be deployed there. */
  branch: word("main", "develop"),
  variables: variables(),
  /** Names whose values are in `technova:secrets.github`. */
  secrets: variableNames(),
  /** Names whose values are generated and kept in the stack's state only. */
  generatedSecrets: variableNames(),
});

const label = section({
  color: text('six hex digits without "#", such as "d73a4a"', /^[0-9a-fA-F]{6}$/),
  description: field("at most 100 characters", z.string().max(100)),
});

/** `technova:github`: the repository and its rules. Exactly one stack owns them. */
export const githubSchema = section({
  enabled: flag().default(true),
  /** Organisation that the repository belongs to. */
  owner: slug("an organisation"),
  repository: section({
    name: slug("a repository"),
    description: field("at most 350 characters", z.string().max(350)).default(""),
    visibility: word("public", "private", "internal").default("private"),
    topics: listOf(
      "a list of topics",
      text("a topic: lower-case letters, digits and hyphens", /^[a-z0-9][a-z0-9-]{0,49}$/),
    ).default([]),
    /** Whether GitHub looks for secrets and refuses pushes with one; private repositories need its Secret Protection. */
    secretScanning: flag().default(true),
  }),
  /** Actions of others that workflows may use, besides GitHub's own: `owner/name@*`, each named in full. */
  allowedActions: listOf(
    "a list of actions",
    text("an action: owner/name@reference", /^[\w.-]+\/[\w./-]*[\w.-]+@[\w./*-]+$/),
  ).default([]),
  rulesets: section({ main: ruleset.prefault({}), develop: ruleset.prefault({}) }).prefault({}),
  environments: section({ staging: environment, production: environment }),
  /** Actions variables of the whole repository. */
  variables: variables(),
  /** Actions secrets of the whole repository, by the names of their values in `technova:secrets.github`. */
  secrets: variableNames(),
  labels: mapOf("an object of labels", /^.{1,50}$/, label).default({}),
});

export type GithubSettings = z.infer<typeof githubSchema>;
export type RulesetSettings = z.infer<typeof ruleset>;
export type EnvironmentSettings = z.infer<typeof environment>;
