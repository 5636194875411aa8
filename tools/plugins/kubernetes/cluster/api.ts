import type { PropertyMap, PropertyValue } from "../../rpc/values";
import { apiVersionOf, kindOf, list, nameOf, namespaceOf, withField, type KubeObject } from "../object";
import type { Discovery } from "./discovery";
import type { ApiRequest, Transport } from "./transport";

/** How one operation talks to the API server. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly onWarning?: (message: string) => void;
  readonly onRetry?: (reason: string) => void;
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

const PAGE = "500";

/** Reads and writes objects of any kind. */
export class KubernetesApi {
  constructor(
    private readonly transport: Transport,
    readonly discovery: Discovery,
  ) {}

  get(object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    return this.call(object, "GET", options);
  }

  create(object: KubeObject, options: CallOptions): Promise<KubeObject> {
    return this.call(object, "POST", options, { body: object });
  }

  /** Server-side apply. `force` takes over fields that others manage. */
  apply(object: KubeObject, options: CallOptions & { force: boolean }): Promise<KubeObject> {
    return this.call(object, "PATCH", options, {
      body: object,
      contentType: "application/apply-patch+yaml",
      query: { force: String(options.force) },
    });
  }

  replace(object: KubeObject, options: CallOptions): Promise<KubeObject> {
    return this.call(object, "PUT", options, { body: object });
  }

  jsonPatch(object: KubeObject, patch: PropertyValue, options: CallOptions): Promise<KubeObject> {
    return this.call(object, "PATCH", options, { body: patch, contentType: "application/json-patch+json" });
  }

  delete(object: KubeObject, propagationPolicy: string, options: CallOptions): Promise<KubeObject> {
    const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy };
    return this.call(object, "DELETE", options, { body });
  }

  async list(
    apiVersion: string,
    kind: string,
    namespace: string,
    { labelSelector, fieldSelector }: ListOptions,
    options: CallOptions = {},
  ): Promise<KubeObject[]> {
    const of = { apiVersion, kind, metadata: { namespace } };
    const found: KubeObject[] = [];
    for (let more: string | undefined = ""; more !== undefined;) {
      const page: PropertyMap = await this.call(of, "GET", options, {
        query: { labelSelector, fieldSelector, limit: PAGE, continue: more },
      });
      // Items of a list do not say what they are.
      found.push(...list(page, "items").map((item) => ({ ...item, apiVersion, kind })));
      const token: PropertyValue | undefined = (page.metadata as PropertyMap | undefined)?.continue;
      more = typeof token === "string" && token !== "" ? token : undefined;
    }
    return found;
  }

  private async call(
    object: KubeObject,
    method: ApiRequest["method"],
    { signal, dryRun, fieldManager, onWarning, onRetry }: CallOptions,
    extra: Partial<ApiRequest> = {},
  ): Promise<KubeObject> {
    const { root, plural, namespaced } = await this.discovery.find(
      apiVersionOf(object),
      kindOf(object),
      signal,
    );
    const scope = namespaced ? `/namespaces/${encodeURIComponent(namespaceOf(object) || "default")}` : "";
    const name = method === "POST" || !nameOf(object) ? "" : `/${encodeURIComponent(nameOf(object))}`;
    const query = { ...extra.query, dryRun: dryRun ? "All" : undefined, fieldManager };
    const path = `${root}${scope}/${plural}${name}`;
    // A kind that nobody knew when its object was checked may turn out to be cluster-wide.
    const bare = extra.body === object && !namespaced;
    const body = bare ? withField(object, ["metadata", "namespace"], undefined) : extra.body;
    return (await this.transport.request({
      ...extra,
      body,
      method,
      path,
      query,
      signal,
      onWarning,
      onRetry,
    })) as KubeObject;
  }
}
