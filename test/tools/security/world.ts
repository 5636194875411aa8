import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Exception } from "../../../policy/frame/exceptions";
import { LiveCluster, type ReadApi } from "../../../tools/security/cluster";
import { Unanswered, type Verdict } from "../../../tools/security/control";
import { Evidence } from "../../../tools/security/evidence";
import { githubApi } from "../../../tools/security/github";
import { judge, type Judged } from "../../../tools/security/judge";
import { readEvidence } from "../../../tools/security/state";
import { deployed, running, settingsOfWorld, type Thing } from "./things";

export const checkout = join(__dirname, "../../..");

const exception = (policy: string, resource: string): Exception => ({
  policy,
  stacks: ["production"],
  resource,
  reason: "For a test, in which it is so.",
  owner: "team-platform",
  expires: "2027-03-31",
});

/** All that a report asks, with every control as it should be: a test changes one part of it. */
export class World {
  root = checkout;
  stack = "production";
  today = "2026-11-25";
  settings: Record<string, unknown> = settingsOfWorld();
  /** What the state has. */
  state: Thing[] = deployed();
  secretsProvider: string | undefined = "passphrase";
  /** What the cluster has. */
  live: Thing[] = running(deployed());
  /** `user: verb group/resource namespace`, each of which the API server allows. */
  readonly allowed = new Set<string>([
    "system:serviceaccount:inventory:web: patch apps/deployments inventory",
  ]);
  /** Each Secret is counted by what encrypts it, and by the name of the key. */
  metrics = ["k8s:enc:aescbc:v1:", "key1:"].map((prefix) => transformed("to_storage", prefix)).join("");
  auditLines = 7;
  exceptions: readonly Exception[] | undefined = [exception("verified-signatures", "Namespace inventory")];
  reachable = true;
  token: string | undefined = "for tests";
  /** GitHub's answers by what follows the repository's path; 404 for others. */
  github: Record<string, unknown> = githubAsItShouldBe();
  /** Paths of the API server that answer with this status. */
  readonly broken = new Map<string, Error>();

  evidence(): Evidence {
    const env = this.token === undefined ? {} : { GITHUB_TOKEN: this.token };
    return new Evidence({
      root: this.root,
      stack: this.stack,
      settings: { config: this.settings },
      state: readEvidence(this.exported()),
      cluster: this.reachable ? new LiveCluster(this.api()) : new Unanswered("the cluster does not answer"),
      github: githubApi(env, this.answerOfGithub),
      today: this.today,
      exceptions: this.exceptions,
    });
  }

  async judged(): Promise<readonly Judged[]> {
    return judge(this.evidence());
  }

  /** Controls by their verdicts. */
  async verdicts(): Promise<Readonly<Record<string, Verdict>>> {
    const judged = await this.judged();
    return Object.fromEntries(judged.map(({ control, verdict }) => [control.id, verdict]));
  }

  exported(): string {
    const provider = this.secretsProvider;
    return JSON.stringify({
      version: 3,
      deployment: {
        ...(provider === undefined ? {} : { secrets_providers: { type: provider } }),
        resources: this.state.map(({ type, object, title, inputs = object }) => {
          const { name = "it", namespace } = (object as { metadata?: Record<string, string> }).metadata ?? {};
          const id = namespace === undefined ? name : `${namespace}/${name}`;
          const urn = `urn:pulumi:${this.stack}::technova::${type}::${title ?? name}`;
          return { urn, type, id, custom: true, inputs, outputs: inputs };
        }),
      },
    });
  }

  /** The one object of a kind and name, to be changed. */
  find(kind: string, name: string, among = this.live): object {
    const found = among.find(({ object }) => {
      const { kind: own, metadata } = object as { kind?: string; metadata?: { name?: string } };
      return own === kind && metadata?.name === name;
    });
    if (found === undefined) throw new Error(`the world has no ${kind} ${name}`);
    return found.object;
  }

  remove(kind: string, name: string, among = this.live): void {
    const object = this.find(kind, name, among);
    among.splice(
      among.findIndex((thing) => thing.object === object),
      1,
    );
  }

  private api(): ReadApi {
    return {
      get: (path) => {
        const [plain = "", query = ""] = path.split("?");
        const broken = this.broken.get(plain);
        if (broken !== undefined) return Promise.reject(broken);
        if (plain === "/metrics") return Promise.resolve(this.metrics);
        if (plain.includes("/loki/")) return Promise.resolve(this.answerOfLoki());
        const items = this.live.filter(({ path: own }) => own.includes(plain)).map(({ object }) => object);
        // Two to a page, so that pages are read to their end.
        const from = Number(new URLSearchParams(query).get("continue") ?? 0);
        const more = from + 2 < items.length ? { continue: String(from + 2) } : {};
        return Promise.resolve({ metadata: more, items: items.slice(from, from + 2) });
      },
      create: (_path, body) => {
        const { user, resourceAttributes: asked } = (body as { spec: Review }).spec;
        const resource = [asked.group, asked.resource, asked.subresource].filter(Boolean).join("/");
        const question = `${user}: ${asked.verb} ${resource} ${asked.namespace}`;
        return Promise.resolve({ status: { allowed: this.allowed.has(question) } });
      },
    };
  }

  private answerOfLoki(): unknown {
    const value = [0, String(this.auditLines)];
    return { data: { result: this.auditLines === 0 ? [] : [{ value }] } };
  }

  private readonly answerOfGithub = ((address: string, options: RequestInit) => {
    const { authorization } = options.headers as Record<string, string>;
    if (authorization !== "Bearer for tests") return Promise.resolve(new Response("", { status: 401 }));
    const path = address
      .replace(/^https:\/\/api\.github\.com\/repos\/technova\/[^/]+/, "")
      .replace(/\?.*/, "");
    if (!(path in this.github)) return Promise.resolve(new Response("", { status: 404 }));
    const body = this.github[path];
    if (body === undefined) return Promise.resolve(new Response(null, { status: 204 }));
    return Promise.resolve(new Response(JSON.stringify(body), { status: 200 }));
  }) as typeof fetch;
}

interface Review {
  readonly user: string;
  readonly resourceAttributes: {
    readonly group: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly verb: string;
    readonly namespace: string;
  };
}

function githubAsItShouldBe(): Record<string, unknown> {
  const rules = () => [
    { type: "deletion" },
    { type: "non_fast_forward" },
    { type: "required_signatures" },
    { type: "pull_request", parameters: { required_approving_review_count: 2 } },
    { type: "required_status_checks", parameters: { required_status_checks: [{ context: "test" }] } },
  ];
  const enabled = { status: "enabled" };
  return {
    "": { security_and_analysis: { secret_scanning: enabled, secret_scanning_push_protection: enabled } },
    "/vulnerability-alerts": undefined,
    "/rules/branches/main": rules(),
    "/rules/branches/develop": rules(),
    // The list is of summaries, without who is exempt.
    "/rulesets": [
      { id: 1, name: "main", enforcement: "active" },
      { id: 2, name: "develop", enforcement: "active" },
    ],
    "/rulesets/1": { id: 1, name: "main", enforcement: "active", bypass_actors: [], rules: rules() },
    "/rulesets/2": { id: 2, name: "develop", enforcement: "active", bypass_actors: [], rules: rules() },
    "/environments/staging": { name: "staging", can_admins_bypass: false, protection_rules: [] },
    "/environments/production": {
      name: "production",
      can_admins_bypass: false,
      protection_rules: [{ type: "required_reviewers", reviewers: [{ type: "Team" }] }],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    },
    "/actions/permissions": { allowed_actions: "selected", sha_pinning_required: true },
    "/actions/permissions/workflow": {
      default_workflow_permissions: "read",
      can_approve_pull_request_reviews: false,
    },
  };
}

/** A copy of the checkout's files that controls read, with some of them changed; removed by `remove`. */
export function changedCheckout(files: Readonly<Record<string, string>>): { root: string; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), "security-test-"));
  const copied = [
    "package.json",
    "package-lock.json",
    "Pulumi.yaml",
    "Pulumi.local.yaml",
    "Pulumi.production.yaml",
    ".github",
    "app/requirements.lock",
    "components/manifests.lock.json",
    "policy/config",
    "tools/engine/cli",
  ];
  for (const path of copied) cpSync(join(checkout, path), join(root, path), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, remove: () => rmSync(root, { recursive: true }) };
}

/** A line of the API server's metrics. @param prefix of what encrypts; none where nothing does */
export const transformed = (direction: "from_storage" | "to_storage", prefix: string): string =>
  "apiserver_storage_transformation_operations_total" +
  `{resource="secrets",status="OK",transformation_type="${direction}",transformer_prefix="${prefix}"} 12\n`;
