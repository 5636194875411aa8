import { formatSeconds, report } from "../engine/report";
import { field, kindOf, nameOf, namespaceOf, text, type KubeObject } from "../plugins/kubernetes/object";
import type { Cluster } from "./cluster";
import { compareObject, type Difference } from "./compare";
import { clusterMade, findExtra } from "./extra";
import { describeDifference, findingOf, type Finding } from "./finding";
import { allWriters, type Path } from "./managedFields";
import type { StackObject, StackState } from "./state";
import { isController, isPulumi } from "./writers";

const progressMilliseconds = 2_000;

/** What the cluster has that the state does not say, and the reverse. */
export async function findDrift(state: StackState, cluster: Cluster): Promise<Finding[]> {
  const { objects } = state;
  const namespaces = new Set(
    objects.filter(({ wanted }) => kindOf(wanted) === "Namespace").map(({ wanted }) => nameOf(wanted)),
  );
  const started = Date.now();
  let read = 0;
  const progress = setInterval(() => {
    report(`  ${read} of ${objects.length} objects read, ${formatSeconds(Date.now() - started)}`);
  }, progressMilliseconds);
  try {
    const [live, there] = await Promise.all([
      cluster.live(
        objects.map(({ wanted }) => wanted),
        () => (read += 1),
      ),
      cluster.inNamespaces(namespaces, clusterMade),
    ]);
    const scaled = scaledByOthers(objects);
    const unsettled = new Set(state.pending.map(({ urn }) => urn));
    return [
      ...state.pending.map(pendingFinding),
      ...objects.flatMap((object, index) =>
        unsettled.has(object.urn) ? [] : findingsOf(object, live[index], scaled),
      ),
      ...findExtra(there, objects),
    ];
  } finally {
    clearInterval(progress);
  }
}

function findingsOf(
  object: StackObject,
  live: KubeObject | undefined,
  scaled: ReadonlySet<string>,
): Finding[] {
  const { urn, wanted, last, ignored, secret } = object;
  if (live === undefined) {
    // Finished Jobs go by themselves where they say so.
    if (field(wanted, "spec", "ttlSecondsAfterFinished") !== undefined) return [];
    return [findingOf(wanted, { change: "missing", what: "was deleted", urn })];
  }
  const isIgnored = (path: Path): boolean =>
    ignored.some((prefix) => isBelow(path, prefix)) ||
    (scaled.has(scaleKey(kindOf(wanted), namespaceOf(wanted), nameOf(wanted))) &&
      path.join(".") === "spec.replicas");
  const isSecret = ({ path }: Difference): boolean =>
    kindOf(wanted) === "Secret" || secret.some((prefix) => isBelow(path, prefix));
  const differences = compareObject({ wanted, live, last }, isIgnored).map((difference) =>
    findingOf(wanted, {
      change: difference.change,
      what: describeDifference(difference, isSecret(difference)),
      writer: difference.writer,
      path: difference.path,
      live: difference.live,
      urn,
    }),
  );
  if (!isReplaced(last, live)) return differences;
  // It cannot be changed, and the engine does not replace what it only applies.
  const inTheWay = object.patches && live.immutable === true && differences.length > 0;
  const what = "was deleted and made anew";
  return [
    findingOf(wanted, { change: "replaced", what, writer: maker(live), urn, inTheWay }),
    ...differences,
  ];
}

/** Another object by the same name; an older state need not have kept which one it was. */
function isReplaced(last: KubeObject, live: KubeObject): boolean {
  const [before, now] = [text(last, "metadata", "uid"), text(live, "metadata", "uid")];
  return before !== "" && now !== "" && before !== now;
}

function maker(live: KubeObject) {
  const writers = allWriters(live);
  return writers.find((writer) => !isPulumi(writer) && !isController(writer)) ?? writers[0];
}

function isBelow(path: Path, prefix: Path): boolean {
  return prefix.every((step, index) => (step === "*" ? index < path.length : step === path[index]));
}

const scaleKey = (kind: string, namespace: string, name: string) => `${kind} ${namespace}/${name}`;

/** Workloads whose number of replicas an autoscaler of the stack decides. */
function scaledByOthers(objects: readonly StackObject[]): Set<string> {
  const scalers = objects.filter(({ wanted }) =>
    ["HorizontalPodAutoscaler", "ScaledObject"].includes(kindOf(wanted)),
  );
  return new Set(
    scalers.map(({ wanted }) => {
      const kind = text(wanted, "spec", "scaleTargetRef", "kind") || "Deployment";
      return scaleKey(kind, namespaceOf(wanted), text(wanted, "spec", "scaleTargetRef", "name"));
    }),
  );
}

function pendingFinding({ urn, type, operation }: StackState["pending"][number]): Finding {
  return {
    apiVersion: "",
    kind: type.split(":").at(-1) ?? type,
    namespace: "",
    name: urn.split("::").at(-1) ?? urn,
    change: "pending",
    what: `${operation} it was interrupted`,
    urn,
  };
}
