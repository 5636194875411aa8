import { inParallel } from "../history/parallel";
import { list, nameOf, namespaceOf, text, type KubeObject } from "../plugins/kubernetes/object";
import type { PropertyValue } from "../plugins/rpc/values";
import type { FullApi } from "../release/api";

/** Reading, and asking what somebody may do. */
export type ReadApi = Pick<FullApi, "get" | "create">;

const kinds = {
  Namespace: ["v1", "namespaces"],
  Pod: ["v1", "pods"],
  Service: ["v1", "services"],
  ServiceAccount: ["v1", "serviceaccounts"],
  ResourceQuota: ["v1", "resourcequotas"],
  LimitRange: ["v1", "limitranges"],
  Deployment: ["apps/v1", "deployments"],
  DaemonSet: ["apps/v1", "daemonsets"],
  NetworkPolicy: ["networking.k8s.io/v1", "networkpolicies"],
  ValidatingAdmissionPolicy: ["admissionregistration.k8s.io/v1", "validatingadmissionpolicies"],
  ValidatingAdmissionPolicyBinding: ["admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings"],
  SealedSecret: ["bitnami.com/v1alpha1", "sealedsecrets"],
} as const;
export type ListedKind = keyof typeof kinds;

/** Requests that are under way at the same time. */
const atOnce = 20;
const pageSize = 500;

export interface Subject {
  readonly user: string;
  readonly groups: readonly string[];
}

export interface Action {
  readonly verb: string;
  readonly group: string;
  /** Such as `pods` or `pods/exec`. */
  readonly resource: string;
  readonly namespace: string;
}

/** The cluster as it is now. What several controls ask for is read once. */
export class LiveCluster {
  private readonly read = new Map<string, Promise<readonly KubeObject[]>>();

  constructor(readonly api: ReadApi) {}

  /** All objects of a kind, in a namespace or in none; nothing where the cluster does not know the kind. */
  list(kind: ListedKind, namespace?: string): Promise<readonly KubeObject[]> {
    const [apiVersion, plural] = kinds[kind];
    const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
    const path = `${root}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${plural}`;
    const known = this.read.get(path) ?? this.pages(path, apiVersion, kind);
    this.read.set(path, known);
    return known;
  }

  /** The same of several namespaces together. */
  async listIn(kind: ListedKind, namespaces: readonly string[]): Promise<readonly KubeObject[]> {
    return (await inParallel(namespaces, atOnce, (namespace) => this.list(kind, namespace))).flat();
  }

  /** Pods that run or are about to. */
  async pods(namespaces: readonly string[]): Promise<readonly KubeObject[]> {
    const all = await this.listIn("Pod", namespaces);
    return all.filter((pod) => !["Succeeded", "Failed"].includes(text(pod, "status", "phase")));
  }

  /** Those of the actions that the API server would allow; it is asked by SubjectAccessReviews. */
  async allowed<T extends Action>({ user, groups }: Subject, actions: readonly T[]): Promise<readonly T[]> {
    const answers = await inParallel(actions, atOnce, async ({ verb, group, resource, namespace }) => {
      const [plural, subresource] = resource.split("/");
      const answer = await this.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: {
          user,
          groups: [...groups],
          resourceAttributes: {
            verb,
            group,
            resource: plural,
            ...(subresource === undefined ? {} : { subresource }),
            namespace,
          },
        },
      });
      return (answer as { status?: { allowed?: boolean } }).status?.allowed === true;
    });
    return actions.filter((_, index) => answers[index] === true);
  }

  private async pages(path: string, apiVersion: string, kind: string): Promise<readonly KubeObject[]> {
    const found: KubeObject[] = [];
    for (let more: string | undefined = ""; more !== undefined;) {
      const next = more === "" ? "" : `&continue=${encodeURIComponent(more)}`;
      const page = (await this.api.get(`${path}?limit=${pageSize}${next}`)) as PropertyValue | undefined;
      found.push(...list(page, "items").map((item) => ({ ...item, apiVersion, kind })));
      more = text(page, "metadata", "continue") || undefined;
    }
    return found;
  }
}

/** `namespace/name`, or the name alone. */
export function placeOf(object: KubeObject): string {
  const namespace = namespaceOf(object);
  return namespace === "" ? nameOf(object) : `${namespace}/${nameOf(object)}`;
}
