import { analysisAnswersCount, snapshotBeforeMigration } from "../../policy/deliveryChecks";
import { changed, outcome, type Path, podTypes, unknown, written } from "../support/policy";
import { describeObjectPolicy } from "./fieldCases";
import { expect } from "chai";

const metric = {
  name: "error-percent",
  interval: "30s",
  count: 8,
  successCondition: "len(result) > 0 && result[0] <= 2",
  failureCondition: "len(result) > 0 && result[0] > 2",
  failureLimit: 1,
  inconclusiveLimit: 5,
  consecutiveErrorLimit: 4,
  provider: { prometheus: { address: "http://prometheus", query: "up" } },
};
const template = { spec: { metrics: [metric] } };
const smokeTest = { name: "smoke-test", provider: { job: { spec: {} } } };

const job = (volumes: readonly object[], initContainers: readonly object[]) => ({
  metadata: { namespace: "inventory" },
  spec: {
    template: {
      metadata: { labels: { "app.kubernetes.io/component": "migration" } },
      spec: {
        initContainers,
        containers: [{ name: "inventory", command: ["inventory", "migrate"] }],
        volumes,
      },
    },
  },
});
const check = { name: "check", command: ["inventory", "migrate", "--check"] };
const mounts = [
  { name: "tmp", mountPath: "/tmp" },
  { name: "plan", mountPath: "/run/plan" },
  { name: "snapshots", mountPath: "/snapshots" },
];
const dump = {
  name: "dump",
  command: ["sh", "/etc/scripts/snapshot.sh", "/snapshots"],
  volumeMounts: mounts,
};
const upload = { name: "store", command: ["inventory", "snapshot", "upload"], volumeMounts: mounts };
const pod = [
  { name: "tmp", emptyDir: {} },
  { name: "plan", emptyDir: { medium: "Memory" } },
];
const claim = { name: "snapshots", persistentVolumeClaim: { claimName: "inventory-snapshots" } };
const folder = { name: "snapshots", emptyDir: { sizeLimit: "20Gi" } };
const kept = job([...pod, claim], [check, dump]);
const stored = job([...pod, folder], [check, dump, upload]);

describe("policy/deliveryChecks", () => {
  for (const kind of ["AnalysisTemplate", "ClusterAnalysisTemplate"] as const) {
    const of = (key: string, right: readonly unknown[], wrong: readonly unknown[], good: object = template) =>
      describeObjectPolicy(analysisAnswersCount, {
        type: podTypes[kind],
        good,
        path: ["spec", "metrics", 0, key],
        right,
        wrong,
      });

    of("failureCondition", ["result[0] > 2"], [undefined, ""]);
    of(
      "successCondition",
      ["result[0] <= 2", "len(result) > 0 && result[0] <= 2"],
      [undefined, "", "len(result) == 0 || result[0] <= 2", "result[0] <= 2 || isNaN(result[0])"],
    );
    of("failureLimit", [undefined, 0, 7, "1", "{{args.limit}}"], [-1, 8, 100]);
    of("inconclusiveLimit", [undefined, 0, 7], [-1, 8]);
    of("consecutiveErrorLimit", [undefined, 0, 20], [-1]);
  }

  describe(analysisAnswersCount.name, () => {
    const judged = (props: object) => outcome(analysisAnswersCount, podTypes.AnalysisTemplate, props);
    const metricWith = (...changes: readonly (readonly [string, unknown])[]) => ({
      spec: {
        metrics: [changes.reduce((object, [key, value]) => changed(object, [key], value), metric as object)],
      },
    });

    it("asks no conditions of a Job, which answers by how it ends", () => {
      expect(judged({ spec: { metrics: [smokeTest] } })).to.deep.equal({ violations: [], undecided: [] });
    });
    it("bears as many failures as it likes while it goes on for as long as the release", () => {
      expect(judged(metricWith(["count", undefined], ["failureLimit", 100])).violations).to.be.empty;
    });
    it("knows that without count and interval it is measured once", () => {
      const once = metricWith(["count", undefined], ["interval", undefined], ["failureLimit", 0]);
      expect(judged(once).violations).to.deep.equal(["spec.metrics[0].inconclusiveLimit"]);
    });
    it("refuses metrics that are only tried", () => {
      const dry = changed(template, ["spec", "dryRun"], [{ metricName: ".*" }]);
      expect(judged(dry).violations).to.deep.equal(["spec.dryRun"]);
    });
    it("says so when the metrics, a count or what is only tried are unknown", () => {
      for (const path of [
        ["spec", "metrics"],
        ["spec", "metrics", 0],
        ["spec", "metrics", 0, "count"],
        ["spec", "dryRun"],
      ]) {
        expect(judged(changed(template, path, unknown))).to.deep.equal({
          violations: [],
          undecided: [written(path)],
        });
      }
    });
  });

  describe(snapshotBeforeMigration.name, () => {
    const judged = (props: object, settings?: object, type: string = podTypes.Job) =>
      outcome(snapshotBeforeMigration, type, props, settings);
    const none = { violations: [], undecided: [] };
    const spec: Path = ["spec", "template", "spec"];
    const steps = [...spec, "initContainers"];
    const refused = (path: Path) => ({ violations: [written(path)], undecided: [] });

    it("accepts a snapshot on a claim, and one that is taken elsewhere", () => {
      expect(judged(kept)).to.deep.equal(none);
      expect(judged(stored)).to.deep.equal(none);
    });
    it("knows other programs that write a database down", () => {
      for (const command of [
        ["pg_dump", "--file=/snapshots/x"],
        ["sh", "-c", "exec /usr/bin/pg_dump > /snapshots/x"],
      ]) {
        expect(judged(changed(kept, [...steps, 1, "command"], command)), command.join(" ")).to.deep.equal(
          none,
        );
      }
      const other = changed(kept, [...steps, 1, "command"], ["barman", "backup"]);
      expect(judged(other)).to.deep.equal(refused(steps));
      expect(judged(other, { commands: ["^barman$"] })).to.deep.equal(none);
    });
    it("refuses none", () => {
      for (const value of [undefined, [], [check], [{ ...dump, restartPolicy: "Always" }]]) {
        expect(judged(changed(kept, steps, value))).to.deep.equal(refused(steps));
      }
    });
    it("refuses one that goes with the pod", () => {
      const lost = refused([...steps, 1, "volumeMounts"]);
      expect(judged(job([...pod, folder], [check, dump]))).to.deep.equal(lost);
      expect(judged(changed(stored, [...steps, 2, "volumeMounts"], mounts.slice(0, 2)))).to.deep.equal(lost);
      expect(judged(changed(stored, [...spec, "volumes", 2, "emptyDir", "medium"], "Memory"))).to.deep.equal(
        lost,
      );
      expect(judged(changed(kept, [...steps, 1, "volumeMounts", 2, "readOnly"], true))).to.deep.equal(lost);
      const uploadFirst = job([...pod, folder], [upload, dump]);
      expect(judged(uploadFirst)).to.deep.equal(lost);
    });
    it("asks none of other Jobs and kinds, and where the stack wants none", () => {
      const bare = changed(kept, steps, undefined);
      const component = [...spec.slice(0, -1), "metadata", "labels", "app.kubernetes.io/component"];
      expect(judged(changed(bare, component, "release-outcome"))).to.deep.equal(none);
      expect(judged(bare, { components: ["schema"] })).to.deep.equal(none);
      expect(judged(bare, { required: false })).to.deep.equal(none);
      expect(judged(bare, {}, podTypes.Deployment)).to.deep.equal(none);
    });
    it("says so when something that decides is unknown", () => {
      for (const path of [
        [...spec.slice(0, -1), "metadata", "labels", "app.kubernetes.io/component"],
        steps,
        [...steps, 1, "command"],
        [...steps, 1, "volumeMounts"],
        [...spec, "volumes"],
        [...spec, "volumes", 2, "persistentVolumeClaim"],
      ]) {
        const found = judged(changed(kept, path, unknown));
        expect(found, written(path)).to.deep.equal({ violations: [], undecided: [written(path)] });
      }
    });
  });
});
