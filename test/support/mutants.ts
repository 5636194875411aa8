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

const ofPod: readonly (readonly [Path, readonly unknown[]])[] = [
  [["hostNetwork"], [undefined, false]],
  [["hostPID"], [undefined, false, true]],
  [["hostIPC"], [undefined, false, true]],
  [["shareProcessNamespace"], [undefined, false, true]],
  [
    ["volumes", 0],
    [
      { name: "tmp", emptyDir: {} },
      { name: "tmp", hostPath: { path: "/tmp" } },
      { name: "tmp", nfs: { server: "nfs.example", path: "/" } },
    ],
  ],
  [
    [...context, "runAsNonRoot"],
    [undefined, true, false],
  ],
  [
    [...context, "runAsUser"],
    [undefined, 0, 10001],
  ],
  [
    [...context, "runAsGroup"],
    [undefined, 0, 10001],
  ],
  [
    [...context, "fsGroup"],
    [undefined, 0, 10001],
  ],
  [
    [...context, "supplementalGroups"],
    [undefined, [], [0], [10001]],
  ],
  [
    [...context, "seccompProfile"],
    [undefined, { type: "RuntimeDefault" }, { type: "Unconfined" }],
  ],
  [
    [...context, "appArmorProfile"],
    [undefined, { type: "RuntimeDefault" }, { type: "Unconfined" }],
  ],
  [
    [...context, "seLinuxOptions"],
    [undefined, {}, { type: "container_t" }, { type: "spc_t" }, { user: "root" }],
  ],
  [
    [...context, "sysctls"],
    [undefined, [{ name: "net.ipv4.tcp_syncookies", value: "1" }], [{ name: "kernel.msgmax", value: "1" }]],
  ],
  [
    [...context, "windowsOptions"],
    [undefined, {}],
  ],
];

const ofContainer: readonly (readonly [Path, readonly unknown[]])[] = [
  [["tty"], [undefined, false, true]],
  [["stdin"], [undefined, false, true]],
  [
    ["ports", 0],
    [
      { name: "http", containerPort: 8080 },
      { name: "http", containerPort: 8080, hostPort: 8080 },
    ],
  ],
  [
    [...context, "privileged"],
    [undefined, false],
  ],
  [
    [...context, "runAsNonRoot"],
    [undefined, true, false],
  ],
  [
    [...context, "runAsUser"],
    [undefined, 0, 10001],
  ],
  [
    [...context, "runAsGroup"],
    [undefined, 0, 10001],
  ],
  [
    [...context, "allowPrivilegeEscalation"],
    [undefined, false, true],
  ],
  [
    [...context, "readOnlyRootFilesystem"],
    [undefined, true, false],
  ],
  [
    [...context, "procMount"],
    [undefined, "Default"],
  ],
  [
    [...context, "capabilities"],
    [
      undefined,
      { drop: ["ALL"] },
      { drop: ["NET_RAW"] },
      { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
      { drop: ["ALL"], add: ["CHOWN"] },
    ],
  ],
  [
    [...context, "seccompProfile"],
    [
      undefined,
      { type: "RuntimeDefault" },
      { type: "Localhost", localhostProfile: "a.json" },
      { type: "Unconfined" },
    ],
  ],
  [
    [...context, "appArmorProfile"],
    [undefined, { type: "RuntimeDefault" }, { type: "Unconfined" }],
  ],
  [
    [...context, "seLinuxOptions"],
    [undefined, { type: "container_init_t" }, { type: "spc_t" }, { role: "sysadm_r" }],
  ],
];

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc
    .constantFrom(...ofPod)
    .chain(([path, values]) =>
      fc.constantFrom(...values).map((value) => ({ at: "pod" as const, path, value })),
    ),
  fc
    .constantFrom(...ofContainer)
    .chain(([path, values]) =>
      fc
        .tuple(
          fc.constantFrom("first" as const, "second" as const, "init" as const),
          fc.constantFrom(...values),
        )
        .map(([at, value]) => ({ at, path, value })),
    ),
);
