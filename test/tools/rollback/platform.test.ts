import { expect } from "chai";
import { application } from "../../../tools/release/read";
import type { FullApi, PatchType } from "../../../tools/release/api";
import { clusterPlatform } from "../../../tools/rollback/platform";
import { checkingJob } from "../../../tools/rollback/schema";
import { messageOfFailure } from "../engine/support";
import { FakeScreen } from "./support";

type Json = Record<string, unknown>;

const rolloutPath = `/apis/argoproj.io/v1alpha1/namespaces/${application}/rollouts/${application}`;

/** The Rollout of a stack; healthy with one version, whose hash is `stable`, unless it says otherwise. */
const rollout = (status: Json = {}): Json => ({
  metadata: { name: application, uid: "u", generation: 1, resourceVersion: "1" },
  spec: { strategy: { canary: { steps: [] } }, template: template("abc") },
  status: {
    phase: "Healthy",
    observedGeneration: "1",
    currentPodHash: "stable",
    stableRS: "stable",
    ...status,
  },
});

const template = (release: string): Json => ({
  metadata: {
    labels: { "app.kubernetes.io/version": `1.0.0-${release}` },
    annotations: { "technova.io/release": release, "technova.io/schema-revision": "0004" },
  },
  spec: { containers: [{ image: `inventory:${release}` }] },
});

const replicaSet = (hash: string, release: string): Json => ({
  metadata: {
    name: hash,
    labels: { "rollouts-pod-template-hash": hash },
    ownerReferences: [{ kind: "Rollout", name: application, uid: "u" }],
  },
  spec: { template: template(release) },
});

/** An API server in memory: what is asked for by its path, with the answers of Prometheus and of a Job's Pod. */
class FakeApi implements FullApi {
  readonly objects = new Map<string, unknown>([[rolloutPath, rollout()]]);
  readonly created: { path: string; body: unknown }[] = [];
  readonly removed: string[] = [];
  readonly patched: { path: string; body: unknown }[] = [];
  /** Answers to questions for failed requests and for all. */
  requests = { failed: 0, all: 0 };
  prometheus: "answers" | "is not there" = "answers";
  replicaSets: Json[] = [replicaSet("stable", "abc")];
  job: Json = { succeeded: 1 };
  terminated: Json = { exitCode: 0, message: "" };
  onPatch: (path: string) => void = () => undefined;

  get(path: string): Promise<unknown> {
    if (path.includes("/proxy/api/v1/query")) return Promise.resolve(this.measured(path));
    if (path.includes("/replicasets?")) return Promise.resolve({ items: this.replicaSets });
    if (path.includes("/analysisruns")) return Promise.resolve({ items: [] });
    if (path.includes("/jobs?")) return Promise.resolve({ items: this.migrations });
    if (path.includes("/jobs/")) return Promise.resolve({ ...this.migrations[0], status: this.job });
    if (path.includes("/pods?")) {
      const containerStatuses = [{ state: { terminated: this.terminated } }];
      return Promise.resolve({ items: [{ status: { containerStatuses } }] });
    }
    return Promise.resolve(this.objects.get(path));
  }

  private measured(path: string): unknown {
    if (this.prometheus === "is not there") return undefined;
    const value = path.includes(encodeURIComponent('status=~"5.."'))
      ? this.requests.failed
      : this.requests.all;
    return { data: { result: [{ value: [0, String(value)] }] } };
  }

  migrations: Json[] = [
    {
      metadata: { name: "inventory-migration-1", creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: {
        template: {
          metadata: {
            labels: {
              "app.kubernetes.io/component": "migration",
              "job-name": "x",
              "batch.kubernetes.io/controller-uid": "y",
            },
          },
          spec: {
            serviceAccountName: "inventory-migration",
            initContainers: [{ name: "dump" }],
            containers: [
              {
                name: "inventory",
                image: "old",
                command: ["inventory", "migrate", "--to", "0004"],
                volumeMounts: [{ name: "secrets" }],
              },
            ],
            volumes: [{ name: "secrets" }, { name: "snapshots" }],
          },
        },
      },
    },
  ];

  patch(path: string, _type: PatchType, body: unknown): Promise<unknown> {
    this.patched.push({ path, body });
    this.onPatch(path);
    return Promise.resolve(this.objects.get(rolloutPath));
  }
  create(path: string, body: unknown): Promise<unknown> {
    this.created.push({ path, body });
    return Promise.resolve({ ...(body as Json), metadata: { name: "inventory-schema-check-1" } });
  }
  remove(path: string): Promise<void> {
    this.removed.push(path);
    return Promise.resolve();
  }
}

const limits = { errorPercent: 5, minimumRequests: 20, seconds: 0.05 };

describe("the cluster of a rollback", () => {
  let api: FakeApi;
  const platform = () => clusterPlatform(() => Promise.resolve(api), "local", new FakeScreen());
  beforeEach(() => (api = new FakeApi()));

  describe("is watched afterwards", () => {
    for (const [what, requests, told] of [
      ["few errors are well", { failed: 2, all: 100 }, /healthy, 2\.0 % of 100 requests failed/],
      ["too few requests tell nothing", { failed: 5, all: 10 }, /not known: 10 requests tell too little/],
    ] as const) {
      it(what, async () => {
        api.requests = requests;
        expect(await platform().check(limits)).to.match(told);
      });
    }

    it("too many errors are not", async () => {
      api.requests = { failed: 30, all: 100 };
      expect(await messageOfFailure(() => platform().check(limits))).to.equal(
        "30.0 % of 100 requests fail; the limit is 5 %.",
      );
    });

    it("neither is a release that is not through", async () => {
      api.objects.set(rolloutPath, rollout({ phase: "Degraded", message: "it was aborted" }));
      expect(await messageOfFailure(() => platform().check(limits))).to.match(/Degraded \(it was aborted\)/);
    });

    it("without a Prometheus nothing is said of errors", async () => {
      api.prometheus = "is not there";
      expect(await platform().check(limits)).to.match(
        /healthy; its errors are not known: there is no Prometheus/,
      );
    });
  });

  describe("is asked what a downgrade loses", () => {
    const ask = () => platform().downgradeProblem("ghcr.io/x@sha256:1", "0003");

    it("in the Job that migrates, with the newer build and another command", async () => {
      expect(await ask()).to.equal(undefined);
      const [{ body } = { body: {} }] = api.created;
      const pod = (body as { spec: { template: { spec: Json; metadata: Json } } }).spec.template;
      expect(pod.metadata).to.deep.equal({ labels: { "app.kubernetes.io/component": "migration" } });
      expect(pod.spec).to.deep.include({
        serviceAccountName: "inventory-migration",
        initContainers: [],
        volumes: [{ name: "secrets" }],
        containers: [
          {
            name: "inventory",
            image: "ghcr.io/x@sha256:1",
            command: ["inventory", "downgrade", "--to", "0003", "--check", "--keep-data"],
            volumeMounts: [{ name: "secrets" }],
          },
        ],
      });
      expect(api.removed).to.deep.equal([
        "/apis/batch/v1/namespaces/inventory/jobs/inventory-schema-check-1",
      ]);
    });

    it("and told what, by the build's last words", async () => {
      api.job = { failed: 1 };
      api.terminated = {
        exitCode: 1,
        message: "a line\nA downgrade to 0003 is refused, for it would lose x.\n",
      };
      expect(await ask()).to.equal("A downgrade to 0003 is refused, for it would lose x.");
      expect(api.removed).to.have.length(1);
      api.terminated = { exitCode: 2, message: "usage: inventory" };
      expect(await ask()).to.match(/too old to tell/);
      api.terminated = { exitCode: 1, message: "" };
      expect(await ask()).to.match(/failed without a word/);
    });

    it("and nobody can tell without such a Job", async () => {
      api.migrations = [];
      expect(await ask()).to.match(/no migration Job any more/);
      expect(api.created).to.deep.equal([]);
    });

    it("with a Job that leaves the one that it is made after as it is", () => {
      const [pattern] = api.migrations;
      const before = JSON.stringify(pattern);
      checkingJob(pattern as Parameters<typeof checkingJob>[0], "image", "0003");
      expect(JSON.stringify(pattern)).to.equal(before);
    });
  });

  describe("gives users an earlier release at once", () => {
    it("which serves already", async () => {
      expect(await platform().switchTo("abc")).to.equal(true);
      expect(api.patched).to.deep.equal([]);
    });

    it("which it does not have any more", async () => {
      expect(await platform().switchTo("gone")).to.equal(false);
      expect(api.patched).to.deep.equal([]);
    });

    it("which it has", async () => {
      api.replicaSets = [replicaSet("stable", "abc"), replicaSet("older", "before")];
      api.onPatch = (path) => {
        if (path !== rolloutPath) return;
        const spec = { strategy: { canary: { steps: [] } }, template: template("before") };
        const status = { currentPodHash: "older", stableRS: "older" };
        api.objects.set(rolloutPath, { ...rollout(status), spec });
      };
      expect(await platform().switchTo("before")).to.equal(true);
      const [{ body } = { body: [] }] = api.patched;
      const replaced = (body as { path: string; value: unknown }[]).find(
        ({ path }) => path === "/spec/template",
      );
      expect(replaced?.value).to.deep.equal(template("before"));
    });
  });

  it("skips what is left of a release while something goes on, and stops with it", async () => {
    api.objects.set(rolloutPath, rollout({ phase: "Progressing", currentPodHash: "newer" }));
    api.replicaSets.push(replicaSet("newer", "abc"));
    api.onPatch = () => api.objects.set(rolloutPath, rollout());
    const done = await platform().hurrying(async () => {
      await new Promise((wake) => setTimeout(wake, 800));
      return "done";
    });
    expect(done).to.equal("done");
    expect(api.patched).to.have.length(1);
    expect(api.patched[0]?.body).to.deep.include({ status: { promoteFull: true } });
  });

  it("is left with a mark for the dashboards", async () => {
    const at = new Date("2026-01-01T12:00:00Z");
    const said = { stack: "local", from: "1.0.2", version: "1.0.1", update: 7, by: "a@b", message: "" };
    await platform().announce({ ...said, outcome: "succeeded", at });
    const [{ path, body } = { path: "", body: {} }] = api.created;
    expect(path).to.match(
      /namespaces\/monitoring\/services\/prometheus:http\/proxy\/api\/v1\/otlp\/v1\/metrics$/,
    );
    const text = JSON.stringify(body);
    expect(text).to.contain('"asDouble":1767268800').and.contain('"timeUnixNano":"1767268800000000000"');
    for (const label of ["environment", "from", "version", "update", "outcome"])
      expect(text).to.contain(`"${label}"`);
  });
});
