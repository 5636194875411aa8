import { report } from "../engine/report";
import { inParallel } from "../history/parallel";
import { KubernetesApi } from "../plugins/kubernetes/cluster/api";
import { Discovery } from "../plugins/kubernetes/cluster/discovery";
import { ApiError, isNotFound, UnknownKindError } from "../plugins/kubernetes/cluster/errors";
import type { Transport } from "../plugins/kubernetes/cluster/transport";
import { field, list, namespaceOf, text, type KubeObject } from "../plugins/kubernetes/object";
import type { PropertyMap } from "../plugins/rpc/values";

/** Requests that are under way at the same time. */
const atOnce = 20;
const pageSize = "500";

/** Names, labels and owners of objects without the rest: what is in them is neither sent nor seen. */
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

interface ListedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly path: string;
}

/** The preferred one first. */
function versionsOf(group: PropertyMap): string[] {
  const preferred = text(group, "preferredVersion", "groupVersion");
  const all = list(group, "versions").map((version) => text(version, "groupVersion"));
  return [preferred, ...all.filter((version) => version !== preferred)];
}

function isSameKind(one: ListedKind, other: ListedKind): boolean {
  const groupOf = ({ apiVersion }: ListedKind) => apiVersion.replace(/\/?[^/]*$/, "");
  return one.kind === other.kind && groupOf(one) === groupOf(other);
}

/** The cluster of a stack, as drift is looked for and taken away. */
export class Cluster {
  readonly api: KubernetesApi;

  constructor(private readonly transport: Transport) {
    this.api = new KubernetesApi(transport, new Discovery(transport));
  }

  /** Reads objects in the order given; undefined for one that is not there. */
  live(objects: readonly KubeObject[], onEach: () => void): Promise<(KubeObject | undefined)[]> {
    return inParallel(objects, atOnce, async (object) => {
      try {
        return await this.api.get(object);
      } catch (error) {
        if (isNotFound(error) || error instanceof UnknownKindError) return undefined;
        throw error;
      } finally {
        onEach();
      }
    });
  }

  /** What lies in some namespaces, of all kinds but those whose plural names are given. */
  async inNamespaces(namespaces: ReadonlySet<string>, without: ReadonlySet<string>): Promise<KubeObject[]> {
    const groups = list(await this.read("/apis"), "groups");
    // A group prefers one version, and serves some kinds in others only.
    const versions = ["v1", ...groups.flatMap(versionsOf)];
    const served = (await inParallel(versions, atOnce, (version) => this.kindsOf(version, without))).flat();
    const kinds = served.filter((kind, at) => served.findIndex((each) => isSameKind(each, kind)) === at);
    const listed = await inParallel(kinds, atOnce, (kind) => this.listOf(kind));
    return listed.flat().filter((object) => namespaces.has(namespaceOf(object)));
  }

  private async kindsOf(apiVersion: string, without: ReadonlySet<string>): Promise<ListedKind[]> {
    // Not the cluster's but an extension's: it measures, and keeps nothing.
    if (apiVersion.startsWith("metrics.k8s.io/")) return [];
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resources = list(await this.answered(root, apiVersion), "resources");
    return resources.flatMap((resource) => {
      const plural = text(resource, "name");
      const verbs = field(resource, "verbs");
      const listable = Array.isArray(verbs) && verbs.includes("list");
      if (plural.includes("/") || without.has(plural) || !listable || resource.namespaced !== true) return [];
      return [{ apiVersion, kind: text(resource, "kind"), path: `${root}/${plural}` }];
    });
  }

  /** An extension whose server is down must not hide what all the others have. */
  private async answered(path: string, apiVersion: string): Promise<PropertyMap> {
    try {
      return await this.read(path);
    } catch (error) {
      if (!(error instanceof ApiError && (error.code === 404 || error.code === 503))) throw error;
      report(
        `  ${apiVersion} does not answer (${error.message}): objects that were added there are not found`,
      );
      return {};
    }
  }

  private async listOf({ apiVersion, kind, path }: ListedKind): Promise<KubeObject[]> {
    const found: KubeObject[] = [];
    for (let more: string | undefined = ""; more !== undefined;) {
      const page: PropertyMap = await this.read(path, { limit: pageSize, continue: more });
      found.push(...list(page, "items").map((item) => ({ ...item, apiVersion, kind })));
      more = text(page, "metadata", "continue") || undefined;
    }
    return found;
  }

  private async read(path: string, query?: Record<string, string>): Promise<PropertyMap> {
    const accept = query === undefined ? undefined : metadataOnly;
    return (await this.transport.request({ method: "GET", path, query, accept })) as PropertyMap;
  }
}
