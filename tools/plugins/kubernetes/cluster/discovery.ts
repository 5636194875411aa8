import { field, list, text } from "../object";
import { isNotFound, UnknownKindError } from "./errors";
import type { Transport } from "./transport";

export interface ApiResource {
  /** `/apis/apps/v1` */
  readonly root: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const LEAST_MILLISECONDS_BETWEEN_LOOKS = 400;

/** Finds out where the API server keeps the objects of a kind. Kinds that appear later are found when asked for. */
export class Discovery {
  private readonly versions = new Map<string, { looked: number; kinds: Promise<Map<string, ApiResource>> }>();

  constructor(private readonly transport: Transport) {}

  async find(apiVersion: string, kind: string, signal?: AbortSignal): Promise<ApiResource> {
    const known = this.versions.get(apiVersion);
    const found = known && (await known.kinds).get(kind);
    if (found) return found;
    if (!known || Date.now() - known.looked >= LEAST_MILLISECONDS_BETWEEN_LOOKS) {
      const kinds = this.look(apiVersion, signal);
      this.versions.set(apiVersion, { looked: Date.now(), kinds });
      kinds.catch(() => this.versions.delete(apiVersion));
      const resource = (await kinds).get(kind);
      if (resource) return resource;
    }
    throw new UnknownKindError(apiVersion, kind);
  }

  private async look(apiVersion: string, signal?: AbortSignal): Promise<Map<string, ApiResource>> {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const kinds = new Map<string, ApiResource>();
    try {
      const answer = await this.transport.request({ method: "GET", path: root, signal });
      for (const resource of list(answer, "resources")) {
        const plural = text(resource, "name");
        if (plural.includes("/")) continue;
        kinds.set(text(resource, "kind"), {
          root,
          plural,
          namespaced: field(resource, "namespaced") === true,
        });
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return kinds;
  }
}
