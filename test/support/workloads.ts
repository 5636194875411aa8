import type { Json, JsonObject, Registered } from "./mocks";

/** Pods that a resource starts. */
export interface Workload {
  /** Name of the resource, and kind. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
  readonly ports: readonly ContainerPort[];
}

export interface ContainerPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
}

/** Where each kind that starts Pods keeps their templates. */
const templates: Readonly<Record<string, (spec: JsonObject) => Json[]>> = {
  Deployment: ({ template }) => [template ?? null],
  StatefulSet: ({ template }) => [template ?? null],
  DaemonSet: ({ template }) => [template ?? null],
  ReplicaSet: ({ template }) => [template ?? null],
  Rollout: ({ template }) => [template ?? null],
  Job: ({ template }) => [template ?? null],
  CronJob: (spec) => [get(spec, "jobTemplate", "spec", "template")],
  // A measurement may be a Job.
  AnalysisTemplate: ({ metrics }) =>
    list(metrics).flatMap((metric) => {
      const template = get(metric, "provider", "job", "spec", "template");
      return template === null ? [] : [template];
    }),
};

/** Everything that runs in a stack. */
export function workloads(resources: readonly Registered[]): Workload[] {
  return resources.flatMap(({ type, name, inputs }) => {
    const kind = type.split(":").at(-1) ?? "";
    const found = type.startsWith("kubernetes:") ? templates[kind]?.(inputs.spec as JsonObject) : undefined;
    return (found ?? []).map((template) => {
      const spec = get(template, "spec") as JsonObject;
      return {
        name: `${kind} ${name}`,
        namespace: text(get(inputs, "metadata", "namespace")) ?? "default",
        labels: (get(template, "metadata", "labels") ?? {}) as Record<string, string>,
        annotations: (get(template, "metadata", "annotations") ?? {}) as Record<string, string>,
        spec,
        ports: list(spec.containers).flatMap((container) => list(get(container, "ports")).map(portOf)),
      };
    });
  });
}

function portOf(port: Json): ContainerPort {
  return {
    name: text(get(port, "name")),
    port: Number(get(port, "containerPort")),
    protocol: text(get(port, "protocol")) ?? "TCP",
  };
}

/** A value inside of another; null where a step does not exist. */
export function get(value: Json | undefined, ...path: readonly string[]): Json {
  return path.reduce<Json>(
    (object, key) =>
      typeof object === "object" && object !== null && !Array.isArray(object) ? (object[key] ?? null) : null,
    value ?? null,
  );
}

export const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

export const text = (value: Json | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;
