import { expect } from "chai";
import type { PropertyMap } from "../../../../tools/plugins/rpc/values";
import { withField } from "../../../../tools/plugins/kubernetes/object";
import { Driver, failureOf } from "./support/driver";
import { FakeCluster, type Fault } from "./support/fake-cluster";
import type { Call } from "./support/fake-store";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const configMap = (data: PropertyMap): PropertyMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", namespace: "default" },
  data,
});

describe("kubernetes provider on a bad day", () => {
  let cluster: FakeCluster;
  let driver: Driver;

  beforeEach(async () => {
    cluster = await FakeCluster.start();
    driver = await Driver.configured({ kubeconfig: cluster.kubeconfig });
  });
  afterEach(() => cluster.stop());

  function once(fault: Fault, when: (call: Call) => boolean): void {
    let used = false;
    cluster.fault = (call) => {
      if (used || !when(call)) return undefined;
      used = true;
      return fault;
    };
  }
  const busy = { code: 429, reason: "TooManyRequests", message: "slow down", retryAfter: 0 };

  it("asks again when the API server is busy or cuts the connection", async () => {
    once(busy, ({ method }) => method === "POST");
    await driver.create(CONFIG_MAP, configMap({ a: "1" }));
    const { properties } = await driver.read(CONFIG_MAP, "default/c");
    for (const fault of ["reset", "reset-after", busy] as const) {
      once(fault, ({ method }) => method === "PATCH");
      const news = configMap({ a: `${fault as string}` });
      expect((await driver.update(CONFIG_MAP, properties, news)).data).to.deep.equal(news.data);
    }
  });

  it("creates nothing twice when the answer to a creation is lost", async () => {
    once("reset-after", ({ method }) => method === "POST");
    const made = await driver.create(CONFIG_MAP, configMap({ a: "1" }));
    expect(made.properties.data).to.deep.equal({ a: "1" });
    expect(cluster.writes()).to.deep.equal(["POST ConfigMap c"]);
  });

  it("does not take an object of others for its own when an answer is lost", async () => {
    cluster.put(withField(configMap({ a: "theirs" }), ["metadata", "managedFields"], []));
    once("reset", ({ method }) => method === "POST");
    expect((await failureOf(driver.create(CONFIG_MAP, configMap({ a: "1" })))).message).to.contain(
      "already exists",
    );
  });

  it("reads again when somebody writes in between", async () => {
    const { properties } = await driver.create(CONFIG_MAP, configMap({ a: "1" }));
    once({ code: 409, reason: "Conflict", message: "modified" }, ({ method }) => method === "PATCH");
    expect((await driver.update(CONFIG_MAP, properties, configMap({ a: "2" }))).data).to.deep.equal({
      a: "2",
    });
  });

  it("waits for a namespace that is created at the same time", async () => {
    const inNew = withField(configMap({ a: "1" }), ["metadata", "namespace"], "new");
    const preview = await driver.create(CONFIG_MAP, inNew, { preview: true });
    expect(preview.properties).to.deep.equal(preview.inputs);
    const made = driver.create(CONFIG_MAP, inNew);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await driver.create("kubernetes:core/v1:Namespace", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "new" },
    });
    expect((await made).id).to.equal("new/c");
  });

  it("keeps what it makes just when it is cancelled", async () => {
    const job = {
      ...{ apiVersion: "batch/v1", kind: "Job", metadata: { name: "j", namespace: "default" } },
      spec: { template: {} },
    };
    cluster.fault = ({ method }) => {
      if (method === "POST") driver.cancellation.abort();
      return undefined;
    };
    expect(await failureOf(driver.create("kubernetes:batch/v1:Job", job))).to.have.property(
      "id",
      "default/j",
    );
  });

  it("ends at once when it is cancelled while waiting, and keeps what it made", async () => {
    const type = "kubernetes:batch/v1:Job";
    const job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "j", namespace: "default" },
      spec: { template: {} },
    };
    const made = failureOf(driver.create(type, job));
    while (driver.statuses.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    driver.cancellation.abort();
    const error = await made;
    expect(error.message).to.contain("cancelled while waiting");
    expect(error).to.have.property("id", "default/j");
  });

  it("shows what the API server would refuse in the preview, and only that", async () => {
    const faults: [Fault, refused: boolean][] = [
      [{ code: 422, reason: "Invalid", message: "data: bad" }, true],
      [{ code: 403, reason: "Forbidden", message: "no" }, false],
      [{ code: 500, reason: "InternalError", message: "webhook" }, false],
      [{ code: 409, reason: "AlreadyExists", message: "there" }, false],
      [{ code: 400, reason: "BadRequest", message: "admission webhook x does not support dry run" }, false],
    ];
    for (const [fault, refused] of faults) {
      cluster.fault = ({ method }) => (method === "POST" ? fault : undefined);
      const previewed = driver.create(CONFIG_MAP, configMap({ a: "1" }), { preview: true });
      if (refused) expect((await failureOf(previewed)).message).to.contain("would not be created: data: bad");
      else expect((await previewed).properties).to.deep.equal((await previewed).inputs);
    }
    expect(cluster.writes()).to.deep.equal([]);
  });
});

describe("kubernetes provider without a cluster", () => {
  const inputs = configMap({ a: "1" });
  const kubeconfigs: [what: string, kubeconfig: string, why: RegExp][] = [
    ["that does not answer", kubeconfig("https://127.0.0.1:1"), /no answer from https:\/\/127\.0\.0\.1:1/],
    [
      "that is not described",
      "/nonexistent/kubeconfig",
      /neither the path of a kubeconfig file nor the content/,
    ],
    [
      "whose context is missing",
      kubeconfig("https://127.0.0.1:1").replace('"current-context":"x"', '"current-context":"y"'),
      /no context "y", but "x"/,
    ],
  ];
  for (const [what, config, why] of kubeconfigs) {
    it(`previews for one ${what}, and says how to reach one when it applies`, async () => {
      const driver = await Driver.configured({ kubeconfig: config });
      const previewed = await driver.create(CONFIG_MAP, inputs, { preview: true });
      expect(previewed).to.deep.include({ id: "", properties: inputs });
      const error = await failureOf(driver.create(CONFIG_MAP, inputs));
      expect(error.message).to.match(why);
      expect(error.message).to.match(/kubernetes:context.*npm run cluster -- up/);
      expect((await failureOf(driver.read(CONFIG_MAP, "default/c"))).message).to.contain("cannot be reached");
      expect((await failureOf(driver.delete(CONFIG_MAP, "default/c", inputs))).message).to.contain(
        "DELETE_UNREACHABLE=true",
      );
    });
  }

  it("forgets or keeps what it cannot reach, as the settings say", async () => {
    const config = kubeconfig("https://127.0.0.1:1");
    const forget = await Driver.configured({ kubeconfig: config, deleteUnreachable: "true" });
    expect(await forget.isGone(CONFIG_MAP, "default/c")).to.equal(true);
    await forget.delete(CONFIG_MAP, "default/c", inputs);
    const keep = await Driver.configured({ kubeconfig: config, skipUpdateUnreachable: "true" });
    expect(await keep.read(CONFIG_MAP, "default/c", inputs, inputs)).to.deep.include({ inputs });
    expect(await keep.check(CONFIG_MAP, configMap({ a: "2" }), inputs)).to.deep.equal(inputs);
  });
});

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "x",
    clusters: [{ name: "x", cluster: { server } }],
    users: [{ name: "x", user: {} }],
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
  });
}
