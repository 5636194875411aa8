import fc from "fast-check";
import { changed, goodContainer, goodPod, type Path } from "./policy";

/**
 * Pods that somebody could write, starting from a good one: up to three fields of the pod or of any of its containers
 * get another value, right or wrong. Every value is one that the API server's own validation takes.
 */
export function mutatedPod(): fc.Arbitrary<object> {
  return fc
    .record({
      containers: fc.integer({ min: 1, max: 2 }),
      initContainers: fc.integer({ min: 0, max: 1 }),
      mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }),
    })
    .map(({ containers, initContainers, mutations }) => {
      const named = (prefix: string, count: number) =>
        Array.from({ length: count }, (_, index) => ({ ...goodContainer(), name: `${prefix}${index}` }));
      const init = named("init", initContainers).map(withoutProbes);
      const pod = changed(
        changed(goodPod(), ["spec", "containers"], named("app", containers)),
        ["spec", "initContainers"],
        init,
      );
      return mutations.reduce<object>((object, { at, path, value }) => {
        if (at === "pod") return changed(object, ["spec", ...path], value);
        const list = at === "init" && initContainers > 0 ? "initContainers" : "containers";
        const index = list === "containers" && at === "second" ? containers - 1 : 0;
        return changed(object, ["spec", list, index, ...path], value);
      }, pod);
    });
}

interface Mutation {
  readonly at: "pod" | "first" | "second" | "init";
  readonly path: Path;
  readonly value: unknown;
}

/** Init containers cannot have probes. */
function withoutProbes(container: object): object {
  return changed(changed(container, ["readinessProbe"], undefined), ["livenessProbe"], undefined);
}

const context: Path = ["securityContext"];
const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

const places = {
  pod: ["pod"],
  containers: ["first", "second", "init"],
  both: ["pod", "first", "second", "init"],
} as const;

/** Fields with their values, by what has them: the pod, its containers, or both. */
const fields: readonly (readonly [keyof typeof places, Path, readonly unknown[]])[] = [
  ["pod", ["hostNetwork"], [undefined, false]],
  ["pod", ["hostPID"], [undefined, false, true]],
  ["pod", ["hostIPC"], [undefined, false, true]],
  ["pod", ["shareProcessNamespace"], [undefined, false, true]],
  [
    "pod",
    ["volumes", 0],
    [
      { name: "tmp", emptyDir: {} },
      { name: "tmp", emptyDir: null },
      { name: "tmp", emptyDir: null, configMap: { name: "data" } },
      { name: "tmp", hostPath: { path: "/tmp" } },
      { name: "tmp", nfs: { server: "nfs.example", path: "/" } },
    ],
  ],
  ["pod", [...context, "fsGroup"], [undefined, 0, 10001]],
  ["pod", [...context, "supplementalGroups"], [undefined, [], [0], [10001]]],
  [
    "pod",
    [...context, "sysctls"],
    [undefined, [{ name: "net.ipv4.tcp_syncookies", value: "1" }], [{ name: "kernel.msgmax", value: "1" }]],
  ],
  ["pod", [...context, "windowsOptions"], [undefined, {}]],

  ["both", [...context, "runAsNonRoot"], [undefined, true, false]],
  ["both", [...context, "runAsUser"], [undefined, 0, 10001]],
  ["both", [...context, "runAsGroup"], [undefined, 0, 10001]],
  [
    "both",
    [...context, "seccompProfile"],
    [
      undefined,
      { type: "RuntimeDefault" },
      { type: "Localhost", localhostProfile: "a.json" },
      { type: "Unconfined" },
    ],
  ],
  ["both", [...context, "appArmorProfile"], [undefined, { type: "RuntimeDefault" }, { type: "Unconfined" }]],
  [
    "both",
    [...context, "seLinuxOptions"],
    [
      undefined,
      {},
      { type: "container_t" },
      { type: "container_init_t" },
      { type: "spc_t" },
      { user: "root" },
      { role: "sysadm_r" },
    ],
  ],

  [
    "containers",
    ["image"],
    [
      ...["shop", "shop:latest", "shop:1.0.0", "inventory", "inventory:latest", "inventory:1.0.0"],
      ...[`inventory@${digest}`, `inventory:latest@${digest}`, "inventory@sha256:0123", "inventory-agent:1"],
    ].map((image) => `registry.example/team/${image}`),
  ],
  [
    "containers",
    ["resources"],
    ["0", 0, "0Mi"].map((quantity) => ({
      requests: { cpu: quantity, memory: quantity },
      limits: { cpu: quantity, memory: quantity },
    })),
  ],
  ["containers", ["tty"], [undefined, false, true]],
  ["containers", ["stdin"], [undefined, false, true]],
  [
    "containers",
    ["ports", 0],
    [
      { name: "http", containerPort: 8080 },
      { name: "http", containerPort: 8080, hostPort: 8080 },
    ],
  ],
  ["containers", [...context, "privileged"], [undefined, false]],
  ["containers", [...context, "allowPrivilegeEscalation"], [undefined, false, true]],
  ["containers", [...context, "readOnlyRootFilesystem"], [undefined, true, false]],
  ["containers", [...context, "procMount"], [undefined, "Default"]],
  [
    "containers",
    [...context, "capabilities"],
    [
      undefined,
      { drop: ["ALL"] },
      { drop: ["NET_RAW"] },
      { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
      { drop: ["ALL"], add: ["CHOWN"] },
    ],
  ],
];

const mutation: fc.Arbitrary<Mutation> = fc.constantFrom(...fields).chain(([of, path, values]) =>
  fc.record({
    at: fc.constantFrom(...places[of]),
    path: fc.constant(path),
    value: fc.constantFrom(...values),
  }),
);
