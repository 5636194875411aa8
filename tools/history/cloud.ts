import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { pulumiHome } from "../engine/cache";
import { messageOf, UserError } from "../engine/report";
import { leftBehindBy, type LeftBehind } from "./checkpoint";
import { inParallel } from "./parallel";
import type { HistorySource, StackReference } from "./source";
import { toUpdate, updateInfo, type Update } from "./update";

const pageSize = 100;
const atOnce = 8;

const user = z.looseObject({ name: z.string().optional(), githubLogin: z.string().optional() });
const page = z.looseObject({
  updates: z.array(z.looseObject({ info: updateInfo, version: z.number(), requestedBy: user.nullish() })),
  total: z.number(),
});
const stackSchema = z.looseObject({
  currentOperation: z
    .looseObject({ kind: z.string(), author: z.string().default("somebody"), started: z.number() })
    .nullish(),
});
const exported = z.looseObject({ deployment: z.unknown() });
const login = z.looseObject({ githubLogin: z.string() });
const ownDefault = z.looseObject({ GitHubLogin: z.string().optional() });

/** A value of the configuration as the service has it. */
const configValue = z.union([
  z.looseObject({
    string: z.string(),
    secret: z.boolean().default(false),
    object: z.boolean().default(false),
  }),
  z.unknown().transform((value) => ({ string: undefined, value })),
]);

/** The history of a stack in a Pulumi Cloud. */
export class CloudHistory implements HistorySource {
  private path: string | undefined;

  private constructor(
    private readonly api: string,
    private readonly stack: StackReference,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** @param url address of the service's API, as PULUMI_BACKEND_URL has it */
  static open(url: string, stack: StackReference, env: NodeJS.ProcessEnv): CloudHistory {
    return new CloudHistory(url.replace(/\/+$/, ""), stack, env);
  }

  async updates(limit = Infinity): Promise<readonly Update[]> {
    const size = Math.min(pageSize, limit);
    const first = await this.page(1, size);
    const pages = Math.ceil(Math.min(first.total, limit) / size);
    const others = Array.from({ length: Math.max(0, pages - 1) }, (_, index) => index + 2);
    const rest = await inParallel(others, atOnce, (number) => this.page(number, size));
    const entries = [first, ...rest].flatMap(({ updates }) => updates);
    // Newest first, and one that was made meanwhile moves the others to the next page.
    const known = new Map(entries.map((entry) => [entry.version, entry]));
    const sorted = [...known.values()].sort((a, b) => a.version - b.version);
    return sorted.slice(-Math.min(limit, sorted.length)).map(({ version, info, requestedBy }) => {
      const who = requestedBy?.githubLogin ?? requestedBy?.name;
      return toUpdate({ id: String(version), number: version, requestedBy: who }, info, plainValue);
    });
  }

  leftBehind(id: string): Promise<LeftBehind | undefined> {
    return this.export(`/${encodeURIComponent(id)}`);
  }

  current(): Promise<LeftBehind | undefined> {
    return this.export("");
  }

  private async export(version: string): Promise<LeftBehind | undefined> {
    const found = await this.get(`${await this.stackPath()}/export${version}`);
    return found === undefined ? undefined : leftBehindBy(exported.parse(found).deployment ?? {});
  }

  async lockedBy(): Promise<string | undefined> {
    const { currentOperation } = stackSchema.parse((await this.get(await this.stackPath())) ?? {});
    if (!currentOperation) return undefined;
    const { kind, author, started } = currentOperation;
    return `${author}, ${kind}, since ${new Date(started * 1000).toISOString()}`;
  }

  private async page(number: number, size: number): Promise<z.infer<typeof page>> {
    const query = new URLSearchParams({
      "output-type": "service",
      page: String(number),
      pageSize: String(size),
    });
    const found = await this.get(`${await this.stackPath()}/updates?${query}`);
    if (found === undefined) throw new UserError(`There is no stack ${this.stack.stack} in ${this.api}.`);
    return page.parse(found);
  }

  /** `org/stack` names the organisation; else it is the one that the CLI takes. */
  private async stackPath(): Promise<string> {
    if (this.path !== undefined) return this.path;
    const [stack = "", organisation] = this.stack.stack.split("/").reverse();
    const owner = organisation ?? defaultOrganisation(this.api, this.env) ?? (await this.ownOrganisation());
    this.path = `/api/stacks/${[owner, this.stack.project, stack].map(encodeURIComponent).join("/")}`;
    return this.path;
  }

  /** The service's choice; of older services, which make none, the user's own. */
  private async ownOrganisation(): Promise<string> {
    const { GitHubLogin } = ownDefault.parse((await this.get("/api/user/organizations/default")) ?? {});
    return GitHubLogin || login.parse(await this.get("/api/user")).githubLogin;
  }

  /** The parsed answer; undefined when there is no such thing. */
  private async get(path: string): Promise<unknown> {
    const token = accessToken(this.api, this.env);
    if (token === undefined) {
      throw new UserError(`${this.api} asks for a token: set PULUMI_ACCESS_TOKEN, or run pulumi login.`);
    }
    const headers = { accept: "application/vnd.pulumi+8", authorization: `token ${token}` };
    const signal = AbortSignal.timeout(30_000);
    let response: Response;
    try {
      response = await fetch(`${this.api}${path}`, { headers, signal });
    } catch (error) {
      throw new UserError(`${this.api} does not answer: ${messageOf(error)}`);
    }
    if (response.status === 404) return undefined;
    if (response.ok) return response.json();
    const advice = response.status === 401 ? ": the token is not taken; check PULUMI_ACCESS_TOKEN" : "";
    throw new UserError(`${this.api} answered ${response.status} for ${path}${advice}.`);
  }
}

/** The service's form of a value as the settings file has it. */
function plainValue(value: unknown): unknown {
  const parsed = configValue.parse(value);
  if (parsed.string === undefined) return parsed.value;
  if (parsed.object) return JSON.parse(parsed.string) as unknown;
  return parsed.secret ? { secure: parsed.string } : parsed.string;
}

const credentials = z.looseObject({ accessTokens: z.record(z.string(), z.string()).optional() });
const ownConfig = z.looseObject({
  backends: z.record(z.string(), z.looseObject({ defaultOrg: z.string().optional() })).optional(),
});

/** The token that the environment gives, or that `pulumi login` has left. */
function accessToken(api: string, env: NodeJS.ProcessEnv): string | undefined {
  return (
    env.PULUMI_ACCESS_TOKEN ||
    readHome(env, "credentials.json", credentials)?.accessTokens?.[api] ||
    undefined
  );
}

function defaultOrganisation(api: string, env: NodeJS.ProcessEnv): string | undefined {
  return readHome(env, "config.json", ownConfig)?.backends?.[api]?.defaultOrg || undefined;
}

function readHome<T extends z.ZodType>(
  env: NodeJS.ProcessEnv,
  file: string,
  schema: T,
): z.infer<T> | undefined {
  const path = join(pulumiHome(env), file);
  return existsSync(path) ? schema.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
}
