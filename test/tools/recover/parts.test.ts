import { expect } from "chai";
import { FakeCluster } from "../secrets/fakeCluster";
import { sealingKey } from "../secrets/sealingKeys";
import { bringing, databaseIsEmpty } from "../../../tools/recover/cluster";
import { renderResult } from "../../../tools/recover/render";
import { stripped } from "../../../tools/recover/state";
import type { Journal } from "../../../tools/recover/journal";
import type { FullApi } from "../../../tools/release/api";

const urn = (type: string, name: string) => `urn:pulumi:test::technova::${type}::${name}`;
const pod = "kubernetes:core/v1:Pod";
const password = "random:index/randomPassword:RandomPassword";

describe("a state without its cluster", () => {
  const entry = (type: string, name: string, more: object = {}) => ({
    urn: urn(type, name),
    type,
    custom: true,
    ...more,
  });
  const state = {
    version: 3,
    deployment: {
      resources: [
        entry("pulumi:providers:kubernetes", "default"),
        entry(pod, "protected", { protect: true }),
        entry(pod, "being-replaced", { delete: true }),
        entry(password, "kept", { dependencies: [urn(pod, "protected")], protect: true }),
        entry("github:index/repository:Repository", "kept-too"),
        entry("docker:index/image:Image", "built"),
      ],
      pending_operations: [
        { type: "creating", resource: entry(pod, "halfway") },
        { type: "creating", resource: entry("github:index/label:Label", "unknown") },
      ],
    },
  };

  it("has what lives elsewhere, and nothing that points to what is gone", () => {
    const { state: after, removed, pending } = stripped(state);
    expect(removed).to.equal(3);
    expect(after.deployment.resources?.map(({ urn: each }) => each.split("::").at(-1))).to.deep.equal([
      "default",
      "kept",
      "kept-too",
    ]);
    expect(after.deployment.resources?.[1]).to.deep.include({ dependencies: [], protect: true });
    expect(pending).to.deep.equal([`creating ${urn("github:index/label:Label", "unknown")}`]);
    expect(after.deployment).to.deep.include({ pending_operations: [] });
  });

  it("is the same when it is done twice", () => {
    const once = stripped(state).state;
    expect(stripped(once)).to.deep.equal({ state: once, removed: 0, pending: [] });
  });
});

describe("Secrets that are brought while the cluster fills", () => {
  it("come as soon as their namespaces do, and leave alone what is there", async () => {
    const there = new Map<string, unknown>([
      ["/api/v1/namespaces/a", {}],
      ["/api/v1/namespaces/a/secrets/old", {}],
    ]);
    const created: unknown[] = [];
    const api: FullApi = {
      get: (path) => Promise.resolve(there.get(path)),
      patch: () => Promise.reject(new Error("nothing is patched")),
      remove: () => Promise.reject(new Error("nothing is removed")),
      create: (path, body) => {
        created.push([path, body]);
        return Promise.resolve(body);
      },
    };
    const secret = (namespace: string, name: string) => ({
      metadata: { namespace, name },
      data: { key: "dmFsdWU=" },
    });
    const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    const secrets = [secret("a", "old"), secret("b", "late"), secret("never", "x")];
    const answer = await bringing(api, { secrets }, async () => {
      await wait(50);
      expect(created).to.deep.equal([]);
      there.set("/api/v1/namespaces/b", { status: { phase: "Active" } });
      await wait(1_200);
      return 7;
    });
    expect(answer).to.equal(7);
    expect(created).to.have.length(1);
    expect(created[0]).to.deep.equal([
      "/api/v1/namespaces/b/secrets",
      {
        apiVersion: "v1",
        kind: "Secret",
        type: "Opaque",
        metadata: { name: "late", namespace: "b" },
        data: { key: "dmFsdWU=" },
      },
    ]);
  });
});

describe("the keys of what is sealed", () => {
  it("are there as soon as the controller's namespace is, and one that has started without them starts anew", async () => {
    const key = await sealingKey();
    const api = new FakeCluster();
    await bringing(api, { secrets: [], sealingKeys: [key] }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(api.sent).to.deep.equal([]);
      api.put("/api/v1/namespaces/sealing", { metadata: { name: "sealing" } });
      await new Promise((resolve) => setTimeout(resolve, 1_200));
    });
    const [secret] = api.sent.map((text) => JSON.parse(text) as { metadata: object; type: string });
    expect(secret?.metadata).to.deep.equal({
      name: key.name,
      namespace: "sealing",
      labels: { "sealedsecrets.bitnami.com/sealed-secrets-key": "active" },
    });
    expect(api.sent).to.have.length(1);
    expect(api.requests.filter((request) => request.startsWith("DELETE"))).to.deep.equal([
      "DELETE /api/v1/namespaces/sealing/pods/sealed-secrets-1",
    ]);
  });
});

describe("a database that is to be filled", () => {
  const claim = "/api/v1/namespaces/inventory/persistentvolumeclaims/data-inventory-database-0";
  const pod = "/api/v1/namespaces/inventory/pods/inventory-database-0";
  const ended = (exitCode: number) => ({ terminated: { exitCode } });
  const waiting = { waiting: { reason: "CrashLoopBackOff" } };
  const cases: readonly (readonly [string, boolean, Record<string, unknown>])[] = [
    ["has no volume", true, {}],
    ["has a volume and no Pod", false, { [claim]: {} }],
    [
      "has a Pod that could not fetch",
      true,
      {
        [claim]: {},
        [pod]: { status: { initContainerStatuses: [{ state: waiting, lastState: ended(1) }] } },
      },
    ],
    [
      "has a Pod that could not replay",
      true,
      {
        [claim]: {},
        [pod]: {
          status: { initContainerStatuses: [{ state: ended(0), lastState: {} }, { state: ended(1) }] },
        },
      },
    ],
    [
      "has a Pod that has replayed, if not at once",
      false,
      {
        [claim]: {},
        [pod]: {
          status: { initContainerStatuses: [{ state: ended(0) }, { state: ended(0), lastState: ended(1) }] },
        },
      },
    ],
    ["has a Pod with nothing to replay", false, { [claim]: {}, [pod]: { status: {} } }],
  ];
  for (const [what, empty, there] of cases) {
    it(`is ${empty ? "certainly" : "not certainly"} empty where it ${what}`, async () => {
      const cluster = new FakeCluster();
      for (const [path, object] of Object.entries(there))
        cluster.put(path, { metadata: { name: "x" }, ...(object as object) });
      expect(await databaseIsEmpty(cluster)).to.equal(empty);
    });
  }
});

describe("the result of a recovery", () => {
  it("says up to when data came back, and how long each step took", () => {
    const journal: Journal = {
      startedAt: "2026-01-02T03:00:00.000Z",
      archive: { file: "x.tar.gz", from: "s3://bucket/x.tar.gz", sha256: "" },
      recovery: { time: "latest" },
      until: "2026-01-02T02:59:00.000Z",
      done: ["state", "cluster", "settings", "up"],
      seconds: { check: 4, state: 3, up: 200 },
    };
    const findings = {
      newestMovement: new Date("2026-01-02T02:58:59Z"),
      rows: { "public.items": 3 },
      notes: [],
    };
    const shown = renderResult("local", journal, findings, new Date("2026-01-02T03:04:00Z"));
    expect(shown).to.match(/data up to +2026-01-02T02:58:59Z, the newest movement/);
    expect(shown).to.match(/took +4 min 0 s \(check 4 s, state 3 s, up 3 min 20 s\)/);
    expect(shown).to.contain("public.items 3");
  });
});
