import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubectl } from "../support/cluster";

/** Somebody as the API server knows him once he has proved who he is. */
export interface Subject {
  readonly user: string;
  readonly groups: readonly string[];
}

export interface Action {
  readonly verb: string;
  /** As in `apps/deployments` or `pods/exec`: the group only where there is one. */
  readonly resource: string;
  /** Left out for everything in the whole cluster, and for what is in no namespace. */
  readonly namespace?: string;
  readonly name?: string;
}

/** The account of Pods, with the groups that every such account is in. */
export function serviceAccount(namespace: string, name: string): Subject {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  };
}

/** Somebody whom the identity provider has put into a group. */
export function memberOf(group: string): Subject {
  return { user: "somebody", groups: [group, "system:authenticated"] };
}

/** Those of the actions that the API server would allow; it is asked by SubjectAccessReviews, all at once. */
export async function allowed<T extends Action>(
  { user, groups }: Subject,
  actions: readonly T[],
): Promise<readonly T[]> {
  const items = actions.map((action) => ({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user, groups, resourceAttributes: attributes(action) },
  }));
  const folder = mkdtempSync(join(tmpdir(), "access-reviews-"));
  try {
    const file = join(folder, "reviews.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const answers = await kubectl("create", "-f", file, "-o", 'jsonpath={.status.allowed}{"\\n"}');
    const lines = answers.trim().split("\n");
    if (lines.length !== actions.length || lines.some((line) => line !== "true" && line !== "false")) {
      throw new Error(`${actions.length} questions about ${user} were answered by:\n${answers}`);
    }
    return actions.filter((_, index) => lines[index] === "true");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An action in one line. */
export function told({ verb, resource, namespace, name }: Action): string {
  return `${verb} ${resource}${name === undefined ? "" : ` ${name}`} in ${namespace ?? "the cluster"}`;
}

/** `group/resource/subresource` in its parts; core kinds are those whose name is not that of a group. */
function attributes({ verb, resource, namespace, name }: Action): Record<string, string> {
  const parts = resource.split("/");
  const group = /^(apps|batch|policy|autoscaling)$|\./.test(parts[0] ?? "") ? (parts.shift() ?? "") : "";
  const [plural = "", subresource] = parts;
  return {
    group,
    verb,
    resource: plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}
