import { unknownCheckingProxy } from "@pulumi/policy";
import { Exceptions, nameOf as resourceName, type Exception } from "../../policy/frame/exceptions";
import { judgeResource, judgeStack, settingsOf } from "../../policy/frame/evaluate";
import { Field } from "../../policy/frame/field";
import { isJudged, type Resource } from "../../policy/frame/objects";
import type { Judge, Policy } from "../../policy/frame/policy";
import { policies } from "../../policy/policies";
import { readConfiguration, type Configuration } from "../policy/configuration";
import {
  apiVersionOf,
  kindOf,
  list,
  nameOf,
  namespaceOf,
  text,
  type KubeObject,
} from "../plugins/kubernetes/object";
import { answer, atLeastOne, off, Unanswered, type Answer } from "./control";
import type { Sources } from "./evidence";

interface Found {
  readonly wrong: readonly string[];
  readonly excepted: readonly string[];
  /** Policies that only an update could decide. */
  readonly open: readonly string[];
}

/** The policy pack, asked about the state and about what runs. */
export class Pack {
  private readonly configuration: Configuration;
  private readonly exceptions: Exceptions;

  constructor(
    private readonly sources: Sources,
    entries: readonly Exception[],
  ) {
    this.configuration = readConfiguration(sources.root, sources.stack);
    this.exceptions = new Exceptions(entries, sources.today);
  }

  /** What some policies find in the state. */
  onState(...names: readonly string[]): Answer {
    const chosen = this.enforced(names);
    const { resources } = this.sources.state;
    atLeastOne(
      resources.filter(({ type }) => isJudged(type)),
      "resource in the state",
    );
    const found = chosen.map((policy) => {
      const settings = this.configuration.settingsOf(policy);
      const judges =
        "checkStack" in policy
          ? judgeStack(policy, resources, settings)
          : new Map(resources.map((resource) => [resource, judgeResource(policy, resource, settings)]));
      return collect(
        policy,
        [...judges].map(([resource, judge]) => ({
          resource,
          judge,
          exceptionAt: (field) => this.exceptions.use(policy.name, resource, field),
        })),
      );
    });
    return this.concluded(chosen, found, `${resources.length} resources of the state`);
  }

  /** What some policies find on objects as the cluster has them. Pods have the exceptions of what made them. */
  onLive(objects: readonly KubeObject[], looked: string, ...names: readonly string[]): Answer {
    const chosen = this.enforced(names);
    const found = chosen.map((policy) =>
      collect(
        policy,
        objects.map((object) => {
          const resource = this.resourceOf(object);
          const judge = judgeResource(policy, resource, this.configuration.settingsOf(policy));
          const makers = [resource, ...this.makersOf(object)];
          const exceptionAt = (field: Field) =>
            makers
              .map((maker) => this.exceptions.use(policy.name, maker, field))
              .find((each) => each !== undefined);
          return { resource, judge, exceptionAt };
        }),
      ),
    );
    return this.concluded(chosen, found, looked);
  }

  /** A policy's settings: what the stack sets, and the defaults of the rest. */
  settingsOf(name: string): object {
    const [policy] = this.enforced([name]);
    return policy === undefined ? {} : settingsOf(policy, this.configuration.settingsOf(policy));
  }

  private enforced(names: readonly string[]): readonly Policy[] {
    return names.map((name) => {
      const policy = policies.find((each) => each.name === name);
      if (policy === undefined) throw new Error(`there is no policy "${name}"`);
      return policy;
    });
  }

  private concluded(chosen: readonly Policy[], found: readonly Found[], looked: string): Answer {
    const disabled = chosen.filter((policy) => this.configuration.levelOf(policy) === "disabled");
    if (disabled.length === chosen.length)
      return off(
        `policy/config/${this.sources.stack}.json disables ${disabled.map(nameOfPolicy).join(", ")}`,
      );
    const wrong = [
      ...disabled.map(({ name }) => `${name} is disabled by policy/config/${this.sources.stack}.json`),
      ...found.flatMap((each) => each.wrong),
    ];
    const open = [...new Set(found.flatMap((each) => each.open))];
    if (wrong.length === 0 && open.length > 0) throw new Unanswered(`not decided: ${open.join(", ")}`);
    const excepted = found.flatMap((each) => each.excepted);
    return answer(`${looked}, by ${chosen.map(nameOfPolicy).join(", ")}`, wrong, excepted);
  }

  /** The state's resource of the object, for exceptions that name it by its URN; else one like it. */
  private resourceOf(object: KubeObject): Resource {
    const version = apiVersionOf(object).includes("/")
      ? apiVersionOf(object)
      : `core/${apiVersionOf(object)}`;
    const type = `kubernetes:${version}:${kindOf(object)}`;
    const urn = this.urnOf(kindOf(object), namespaceOf(object), nameOf(object)) ?? this.urn(type, object);
    return { type, urn, props: unknownCheckingProxy(object) };
  }

  /** The controllers that an object says it belongs to, and what made a ReplicaSet or Job of that name. */
  private makersOf(object: KubeObject): readonly Resource[] {
    const namespace = namespaceOf(object);
    return list(object, "metadata", "ownerReferences").flatMap((owner) => {
      const kind = text(owner, "kind");
      const name = text(owner, "name");
      const made = name.replace(/-[^-]+$/, "");
      const makers = { ReplicaSet: ["Deployment", "Rollout"], Job: ["CronJob"] }[kind] ?? [];
      return [[kind, name], ...makers.map((maker) => [maker, made])].map(([of = "", called = ""]) =>
        this.resourceOf({
          apiVersion: of === "Rollout" ? "argoproj.io/v1alpha1" : "apps/v1",
          kind: of,
          metadata: { name: called, namespace },
        }),
      );
    });
  }

  private urnOf(kind: string, namespace: string, name: string): string | undefined {
    return this.sources.state.objects.find(
      ({ wanted }) => kindOf(wanted) === kind && nameOf(wanted) === name && namespaceOf(wanted) === namespace,
    )?.urn;
  }

  private urn(type: string, object: KubeObject): string {
    return `urn:pulumi:${this.sources.stack}::cluster::${type}::${namespaceOf(object)}/${nameOf(object)}`;
  }
}

const nameOfPolicy = ({ name }: Policy): string => name;

interface Judged {
  readonly resource: Resource;
  readonly judge: Judge;
  readonly exceptionAt: (field: Field) => Exception | undefined;
}

function collect({ name: policy }: Policy, judged: readonly Judged[]): Found {
  const wrong: string[] = [];
  const excepted = new Set<string>();
  const open: string[] = [];
  for (const { resource, judge, exceptionAt } of judged) {
    for (const { field, found } of judge.violations) {
      const exception = exceptionAt(field);
      const name = resourceName(resource, field);
      if (exception === undefined) wrong.push(`${name}: ${field.path} ${found}`);
      else
        excepted.add(
          `${name}: ${policy}, until ${exception.expires}, ${exception.owner}: ${exception.reason}`,
        );
    }
    const unclear = [...judge.undecided, ...judge.missing.map(() => Field.root(undefined))];
    if (judge.violations.length === 0 && unclear.some((field) => exceptionAt(field) === undefined))
      open.push(policy);
  }
  return { wrong, excepted: [...excepted], open };
}
