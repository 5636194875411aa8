import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import exceptionEntries from "../../policy/exceptions.json";
import type { Exception } from "../../policy/frame/exceptions";
import type { StackSettings } from "../engine/project";
import { nameOf, type KubeObject } from "../plugins/kubernetes/object";
import type { LiveCluster } from "./cluster";
import { Unanswered } from "./control";
import type { GithubApi } from "./github";
import { Pack } from "./pack";
import type { StateEvidence } from "./state";

export interface Sources {
  /** The checkout. */
  readonly root: string;
  readonly stack: string;
  readonly settings: StackSettings;
  readonly state: StateEvidence;
  /** The cluster, or why there is none to ask. */
  readonly cluster: LiveCluster | Unanswered;
  readonly github: GithubApi;
  /** As `2027-03-31`; exceptions end. */
  readonly today: string;
  readonly exceptions?: readonly Exception[];
}

const project = "technova";

/** All that controls may ask. */
export class Evidence {
  readonly pack: Pack;
  readonly exceptions: readonly Exception[];

  constructor(readonly sources: Sources) {
    this.exceptions = sources.exceptions ?? exceptionEntries;
    this.pack = new Pack(sources, this.exceptions);
  }

  get stack(): string {
    return this.sources.stack;
  }

  /** @throws Unanswered when there is none to ask */
  get cluster(): LiveCluster {
    const { cluster } = this.sources;
    if (cluster instanceof Unanswered) throw cluster;
    return cluster;
  }

  /** Whether the cluster could not be asked: then a report without a failure is no good news. */
  get unread(): boolean {
    return this.sources.cluster instanceof Unanswered;
  }

  get github(): GithubApi {
    return this.sources.github;
  }

  /** A setting of the stack's file; undefined where it is left out. */
  setting(key: string, ...path: readonly string[]): unknown {
    return path.reduce<unknown>(
      (value, name) =>
        typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined,
      this.sources.settings.config?.[`${project}:${key}`],
    );
  }

  /** Objects that the stack has in the cluster. */
  objects(kind: string): readonly KubeObject[] {
    return this.sources.state.objects.map(({ wanted }) => wanted).filter((object) => object.kind === kind);
  }

  /** Inputs of the stack's resources of a type such as `github:index/repository:Repository`. */
  inputs(type: string): readonly Readonly<Record<string, unknown>>[] {
    return this.sources.state.resources
      .filter((resource) => resource.type === type)
      .map(({ props }) => props as Readonly<Record<string, unknown>>);
  }

  /** Names of the platform's namespaces. @throws Unanswered when the state has none, so nothing was deployed yet */
  namespaces(): readonly string[] {
    const names = this.objects("Namespace").map(nameOf);
    if (names.length === 0) throw new Unanswered("the state has no namespace: the stack is not deployed");
    return names;
  }

  /** A file of the checkout. @throws Unanswered when it is not there */
  file(path: string): string {
    const whole = join(this.sources.root, path);
    if (!existsSync(whole)) throw new Unanswered(`${path} is not there`);
    return readFileSync(whole, "utf8");
  }
}
