import type { Judge, ObjectPolicy, PodPolicy, Policy } from "./frame/policy";
import type { Field } from "./frame/field";
import { isAbsent } from "./frame/tests";

export const analysisAnswersCount: ObjectPolicy = {
  name: "analysis-answers-count",
  area: "delivery",
  severity: "high",
  description:
    "An analysis succeeds by good answers only: not by silence, and not by bad ones that are borne.",
  why: "With one condition only, no answer at all counts as an answer; with no limit within reach, bad ones never end it.",
  remedy: [
    "Give each metric a successCondition and a failureCondition, neither of which an empty answer fits.",
    "Keep failureLimit, inconclusiveLimit and consecutiveErrorLimit below count, and none of them negative.",
    "Remove dryRun: its metrics are measured and never counted.",
  ],
  link: "https://argo-rollouts.readthedocs.io/en/stable/features/analysis/#failure-conditions-and-failure-limit",
  kinds: ["AnalysisTemplate", "ClusterAnalysisTemplate"],
  checkObject({ group, root }, judge) {
    if (group !== "argoproj.io") return;
    for (const metric of judge.items(root.at("spec", "metrics"))) {
      const job = metric.at("provider", "job");
      // A Job answers by how it ends.
      if (judge.knows(job) && job.absent) expectConditions(metric, judge);
      expectReachableLimits(metric, judge);
    }
    const dryRun = root.at("spec", "dryRun");
    const accepts = (value: unknown) => isAbsent(value) || (Array.isArray(value) && value.length === 0);
    judge.expect(dryRun, { accepts, wanted: "absent" });
  },
};

/** One of several alternatives that an answer without a value fits. */
const silence = /(^|\|\|)[\s(]*(len\(result\)\s*(==\s*0|<\s*1)|isNaN\(|isNil\(|result\s*==\s*nil)/;

function expectConditions(metric: Field, judge: Judge): void {
  const isSet = (value: unknown) => typeof value === "string" && value.trim() !== "";
  judge.expect(metric.at("failureCondition"), { accepts: isSet, wanted: "a condition" });
  judge.expect(metric.at("successCondition"), {
    accepts: (value) => isSet(value) && !silence.test(String(value)),
    wanted: "a condition that only an answer fits",
  });
}

function expectReachableLimits(metric: Field, judge: Judge): void {
  const count = metric.at("count");
  const interval = metric.at("interval");
  if (!judge.knows(count) || !judge.knows(interval)) return;
  // Without a count it is measured once, or for as long as the release takes.
  const times = count.absent ? (interval.absent ? 1 : Infinity) : Number(count.value);
  // Not a number: an argument that is only known when the release asks.
  const most = Number.isNaN(times) || times <= 0 ? Infinity : times;
  for (const key of ["failureLimit", "inconclusiveLimit", "consecutiveErrorLimit"]) {
    const accepts = (value: unknown) => {
      if (isAbsent(value) || Number.isNaN(Number(value))) return true;
      return Number(value) >= 0 && (key === "consecutiveErrorLimit" || Number(value) < most);
    };
    const wanted =
      most === Infinity ? "at least 0" : `from 0 to ${most - 1}, as it is measured ${most} times`;
    judge.expect(metric.at(key), { accepts, wanted });
  }
}

interface SnapshotSettings {
  readonly components: readonly string[];
  readonly commands: readonly string[];
  readonly required: boolean;
}

/**
 * A Job changes the schema if its pod has the component label of one. Its snapshot is an init container, which ends
 * before the schema is touched and whose failure keeps the Job from it, that
 *
 * - runs a program which writes a database down (`commands`, anywhere in its command line), and
 * - can write to a volume that outlives the pod: a claim; or to one of the pod's own which a later init container
 *   mounts too, to take it elsewhere. Volumes in memory are for credentials and plans, not for snapshots.
 */
export const snapshotBeforeMigration: PodPolicy<SnapshotSettings> = {
  name: "snapshot-before-migration",
  area: "delivery",
  severity: "high",
  description: "A Job that changes the database's schema takes a snapshot first.",
  why: "Without one, what a migration destroys is gone back to the last backup of somebody else, if there is one.",
  remedy: [
    "Set technova:application migration.snapshot to volume or s3.",
    "In a Job of another kind: add an init container that runs pg_dump and writes to a PersistentVolumeClaim.",
    "Where the database's provider takes snapshots by itself, set required to false in policy/config/<stack>.json.",
  ],
  link: "https://www.postgresql.org/docs/current/backup-dump.html",
  parameters: {
    components: {
      type: "array",
      items: { type: "string" },
      description: "Values of the label app.kubernetes.io/component whose Jobs change the schema.",
      default: ["migration"],
    },
    commands: {
      type: "array",
      items: { type: "string" },
      description:
        "Regular expressions; a container with a word in its command line that matches takes a snapshot.",
      default: ["(^|[/\\s])(snapshot\\.sh|pg_dump|pg_dumpall|pg_basebackup)($|\\s)"],
    },
    required: { type: "boolean", description: "Whether there has to be a snapshot.", default: true },
  },
  checkPod({ object, metadata, spec }, judge, { components, commands, required }) {
    if (!required || object.kind !== "Job") return;
    const component = metadata.at("labels", "app.kubernetes.io/component");
    if (!judge.knows(component) || !components.includes(String(component.value))) return;
    const list = spec.at("initContainers");
    const steps = judge.items(list).filter((step) => step.at("restartPolicy").value !== "Always");
    const takes = (step: Field) =>
      ["command", "args"].some((key) =>
        judge
          .items(step.at(key))
          .some(({ value }) => commands.some((each) => new RegExp(each).test(String(value)))),
      );
    const index = steps.findIndex(takes);
    const snapshot = steps[index];
    if (snapshot === undefined) {
      if (judge.undecided.length === 0) judge.report(list, "has no container that takes a snapshot");
      return;
    }
    const volumes = judge.items(spec.at("volumes"));
    const kept = mountsOf(snapshot, judge, true).some((name) => {
      const volume = volumes.find((each) => each.at("name").value === name);
      if (volume === undefined || !judge.knows(volume.at("persistentVolumeClaim"))) return false;
      if (!volume.at("persistentVolumeClaim").absent) return true;
      const emptyDir = volume.at("emptyDir");
      const laterMounts = steps.slice(index + 1).flatMap((step) => mountsOf(step, judge, false));
      return !emptyDir.absent && emptyDir.at("medium").value !== "Memory" && laterMounts.includes(name);
    });
    if (!kept && judge.undecided.length === 0) {
      const mounts = snapshot.at("volumeMounts");
      judge.report(
        mounts,
        "has no volume that outlives the pod, and no later container takes the snapshot elsewhere",
      );
    }
  },
};

/** Names of the volumes that a container has, or can write to; those for temporary files do not count. */
function mountsOf(container: Field, judge: Judge, toWrite: boolean): readonly string[] {
  return judge
    .items(container.at("volumeMounts"))
    .filter((mount) => !toWrite || mount.at("readOnly").value !== true)
    .filter((mount) => mount.at("mountPath").value !== "/tmp")
    .map((mount) => mount.at("name"))
    .filter((name) => judge.knows(name))
    .map(({ value }) => String(value));
}

export const deliveryCheckPolicies: readonly Policy[] = [analysisAnswersCount, snapshotBeforeMigration];
