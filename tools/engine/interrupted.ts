import { z } from "zod";
import type { Captured } from "./processes";
import { report, UserError } from "./report";
import type { Stored } from "./stored";
import type { Unread } from "./unread";

/*
 * A killed command leaves operations in the state of which nobody knows whether they happened. The CLI only warns
 * about them, and an object that was created but not recorded makes the next `up` fail, for it exists. So before the
 * next change they are settled:
 *
 * - a Kubernetes object whose creation was under way is entered under the ID it would have, since that follows from
 *   its name, and is then read from the cluster: it is kept as it is found there, or forgotten when it is not there;
 * - what exists in the state alone (random values, keys) or can be done twice (pushing an image) is forgotten;
 * - a resource that was being changed or deleted is read again;
 * - of anything else only its owner can know: it is named, and forgotten.
 */

const resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  delete: z.boolean().optional(),
  pendingReplacement: z.boolean().optional(),
});
const operation = z.looseObject({ type: z.string(), resource });
const exported = z.looseObject({
  version: z.number(),
  deployment: z.looseObject({
    resources: z.array(resource).optional(),
    pending_operations: z.array(operation).optional(),
  }),
});
export type Deployment = z.infer<typeof exported>;
type Resource = z.infer<typeof resource>;
type Operation = z.infer<typeof operation>;

export interface Settled {
  readonly deployment: Deployment;
  /** Resources to read again. */
  readonly refresh: string[];
  /** Operations of which nothing can be found out. */
  readonly unknown: Operation[];
}

const repeatable = new Set(["random", "tls", "docker", "pulumi"]);

/** Whether a checkpoint's text mentions an operation that did not end; cheap enough for every run. */
export function hasInterrupted(checkpoint: string): boolean {
  return /"pending_operations":\s*\[\s*\{/.test(checkpoint);
}

/** Works out how a state goes on after an interruption; changes nothing itself. */
export function settle(state: Deployment): Settled {
  const refresh: string[] = [];
  const unknown: Operation[] = [];
  let resources = [...(state.deployment.resources ?? [])];
  for (const pending of state.deployment.pending_operations ?? []) {
    const { urn, type } = pending.resource;
    if (pending.type !== "creating") {
      if (resources.some((known) => known.urn === urn)) refresh.push(urn);
      continue;
    }
    const id = kubernetesId(pending.resource);
    if (id !== undefined) {
      resources = withCreated(resources, { ...pending.resource, id });
      refresh.push(urn);
    } else if (!repeatable.has(packageOf(type))) {
      unknown.push(pending);
    }
  }
  const deployment = { ...state.deployment, resources, pending_operations: [] };
  return { deployment: { ...state, deployment }, refresh: [...new Set(refresh)], unknown };
}

/** The state as it would be had the creation been recorded: an object that it replaces waits for its deletion. */
function withCreated(resources: Resource[], created: Resource): Resource[] {
  const others = resources
    .filter((known) => !(known.urn === created.urn && known.pendingReplacement === true))
    .map((known) => (known.urn === created.urn ? { ...known, delete: true } : known));
  // With what it was made of, as the provider keeps it: should nobody come to read the object, nothing has changed.
  return [...others, { ...created, outputs: { ...created.inputs, __inputs: created.inputs } }];
}

const kubernetesObject = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/** `namespace/name`, or `name` for what belongs to no namespace; undefined for what is no plain object. */
function kubernetesId(candidate: Resource): string | undefined {
  if (packageOf(candidate.type) !== "kubernetes") return undefined;
  const object = kubernetesObject.safeParse(candidate.inputs);
  if (!object.success || object.data.kind.endsWith("Patch")) return undefined;
  const { name, namespace } = object.data.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function packageOf(type: string): string {
  return type.split(":", 1).join();
}

/** Runs the CLI on the stack in question and returns what it printed. */
export type RunCli = (args: readonly string[], input?: string) => Promise<Captured>;

/** The CLI's words where a backend keeps files; no other takes a state back. */
const lockedElsewhere = /the stack is currently locked/;

/**
 * Settles the interrupted operations of a stack, as described above, and reads what an earlier settling has left.
 * @param stored the state in which they were found
 * @param unread what is in the state and was not read yet
 * @throws UserError when the resources in question cannot be read; the state is then as it was, where it can be put
 * back, and otherwise the next settling reads them
 */
export async function settleInterrupted(
  stack: string,
  cli: RunCli,
  stored: Stored,
  configFile: readonly string[],
  unread: Unread,
): Promise<void> {
  const text = await checked(cli(["stack", "export", "--stack", stack]), "export the state");
  const before = exported.parse(JSON.parse(text));
  const { deployment, refresh: inDoubt, unknown } = settle(before);
  const known = new Set(deployment.deployment.resources?.map(({ urn }) => urn));
  const left = unread.urns;
  const refresh = [...new Set([...left.filter((urn) => known.has(urn)), ...inDoubt])];
  report(`the last command on ${stack} was interrupted; resources to read again: ${refresh.length}`);
  const changed = (before.deployment.pending_operations ?? []).length > 0;
  if (changed) {
    unread.remember(refresh);
    await checked(cli(["stack", "import", "--stack", stack], JSON.stringify(deployment)), "write the state");
  }
  if (refresh.length > 0) {
    const targets = refresh.flatMap((urn) => ["--target", urn]);
    const args = [
      "refresh",
      "--stack",
      stack,
      "--yes",
      "--skip-preview",
      "--non-interactive",
      "--suppress-outputs",
    ];
    const result = await cli([...args, ...configFile, ...targets]);
    if (result.code !== 0) {
      const output = `${result.stdout}\n${result.stderr}`.trim();
      // Whoever has the lock goes on from what was imported, and must not be written over.
      const putBack = changed && !lockedElsewhere.test(output) ? stored.putBack : undefined;
      // Not with `stack import`, which leaves interrupted operations out.
      await putBack?.();
      if (putBack !== undefined) unread.remember(left);
      const what =
        putBack === undefined
          ? "it is in the state as it was to be made. Once this is mended, the next change of the stack from this " +
            `checkout reads it first, and npm run pulumi -- refresh --stack ${stack} from anywhere`
          : "nothing was changed";
      throw new UserError(
        `What the interrupted command left could not be read; ${what}:\n${lastLines(output)}`,
      );
    }
  }
  unread.remember([]);
  for (const { type, resource: interrupted } of unknown) {
    report(
      `  nobody can tell whether ${type} ${interrupted.urn} happened. If it exists, take it over with\n` +
        `    npm run pulumi -- import --stack ${stack} ${interrupted.type} <name> <id>`,
    );
  }
}

function lastLines(text: string): string {
  return text.split("\n").slice(-20).join("\n");
}

async function checked(result: Promise<Captured>, what: string): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new UserError(`Pulumi could not ${what}:\n${stderr.trim()}`);
  return stdout;
}
