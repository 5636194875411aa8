import { expect } from "chai";
import { InitializationFailed } from "../../../../tools/plugins/rpc/errors";
import { Secret, Unknown, type PropertyMap } from "../../../../tools/plugins/rpc/values";
import { field, text, withField } from "../../../../tools/plugins/kubernetes/object";
import { Driver, failureOf } from "./support/driver";
import { FakeCluster } from "./support/fake-cluster";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition";

const configMap = (
  data: PropertyMap,
  metadata: PropertyMap = { name: "c", namespace: "default" },
): PropertyMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata,
  data,
});

const deployment = (spec: PropertyMap = {}, annotations: PropertyMap = {}): PropertyMap => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default", annotations },
  spec: { replicas: 1, selector: { matchLabels: { app: "web" } }, template: { metadata: {} }, ...spec },
});

const available = { observedGeneration: 99, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };

describe("kubernetes provider", () => {
  let cluster: FakeCluster;
  let driver: Driver;

  beforeEach(async () => {
    cluster = await FakeCluster.start();
    driver = await Driver.configured({ kubeconfig: cluster.kubeconfig });
  });
  afterEach(() => cluster.stop());

  it("creates, changes in place, and deletes", async () => {
    cluster.controller = (object) =>
      object.kind === "Deployment" ? { ...object, status: available } : object;
    const { id, properties, inputs } = await driver.create(DEPLOYMENT, deployment());
    expect(id).to.equal("default/web");
    expect(properties.__inputs).to.deep.equal(inputs);
    expect(properties.__initialApiVersion).to.equal("apps/v1");
    expect((await driver.diff(DEPLOYMENT, properties, inputs)).changes).to.equal(false);

    const news = await driver.check(DEPLOYMENT, deployment({ replicas: 3, paused: true }), inputs);
    const diff = await driver.diff(DEPLOYMENT, properties, news);
    expect(diff.detailed).to.have.all.keys("spec.replicas", "spec.paused");
    expect(diff.replaces).to.deep.equal([]);
    const updated = await driver.update(DEPLOYMENT, properties, news);
    expect(field(updated, "spec", "replicas")).to.equal(3);
    expect((await driver.diff(DEPLOYMENT, updated, news)).changes).to.equal(false);
    const [entry] = field(
      cluster.get("Deployment", "default", "web"),
      "metadata",
      "managedFields",
    ) as PropertyMap[];
    expect(entry).to.include({ manager: properties.__fieldManager, operation: "Apply" });

    await driver.delete(DEPLOYMENT, id, updated);
    expect(cluster.get("Deployment", "default", "web")).to.equal(undefined);
    await driver.delete(DEPLOYMENT, id, updated);
  });

  it("removes a field that the program no longer has", async () => {
    const { properties, inputs } = await driver.create(CONFIG_MAP, configMap({ a: "1", b: "2" }));
    const news = await driver.check(CONFIG_MAP, configMap({ a: "1" }), inputs);
    const updated = await driver.update(CONFIG_MAP, properties, news);
    expect(updated.data).to.deep.equal({ a: "1" });
  });

  it("names what has no name, and replaces it under another name", async () => {
    const made = await driver.create(CONFIG_MAP, configMap({ a: "1" }, { namespace: "default" }));
    expect(made.id).to.match(/^default\/web-[0-9a-f]{8}$/);
    const news = await driver.check(CONFIG_MAP, configMap({ a: "2" }, { namespace: "default" }), made.inputs);
    expect(await driver.diff(CONFIG_MAP, made.properties, news)).to.deep.include({
      replaces: ["data.a"],
      deleteBeforeReplace: false,
    });
    const fixed = await driver.create(CONFIG_MAP, configMap({ a: "1" }));
    expect(await driver.diff(CONFIG_MAP, fixed.properties, configMap({ a: "2" }))).to.deep.include({
      replaces: ["data.a"],
      deleteBeforeReplace: true,
    });
  });

  it("puts objects without a namespace into the one of the settings, but not cluster-wide ones", async () => {
    const other = await Driver.configured({ kubeconfig: cluster.kubeconfig, namespace: "kube-system" });
    expect(
      text(await other.check(CONFIG_MAP, configMap({}, { name: "c" })), "metadata", "namespace"),
    ).to.equal("kube-system");
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } };
    expect(await other.check("kubernetes:core/v1:Namespace", namespace)).to.deep.equal(namespace);
    const unknown = configMap({}, { name: "c", namespace: Unknown.value });
    expect(await other.check(CONFIG_MAP, unknown)).to.deep.equal(unknown);
  });

  it("does not touch an object that somebody else created", async () => {
    cluster.put(configMap({ theirs: "1" }));
    const error = await failureOf(driver.create(CONFIG_MAP, configMap({ ours: "1" })));
    expect(error.message).to.match(
      /ConfigMap default\/c was not created: .*already exists[\s\S]*resource option `import`/,
    );
    expect(cluster.live("ConfigMap", "default", "c").data).to.deep.equal({ theirs: "1" });
  });

  it("sees drift when it reads, and puts it right", async () => {
    const { id, properties, inputs } = await driver.create(CONFIG_MAP, configMap({ a: "1", b: "2" }));
    cluster.put(configMap({ a: "changed", b: "2", added: "by others" }));
    const seen = await driver.read(CONFIG_MAP, id, properties, inputs);
    expect(seen.inputs.data).to.deep.equal({ a: "changed", b: "2" });
    const diff = await driver.diff(CONFIG_MAP, seen.properties, inputs);
    expect(diff.detailed).to.have.all.keys("data.a");
    const updated = await driver.update(CONFIG_MAP, seen.properties, inputs);
    expect(updated.data).to.deep.equal({ a: "1", b: "2", added: "by others" });
  });

  it("says whose field it is that it must not change, unless it may", async () => {
    const { properties, inputs } = await driver.create(CONFIG_MAP, configMap({ a: "1" }));
    const current = await driver.update(CONFIG_MAP, properties, withField(inputs, ["data", "a"], "2"));
    const theirs = { manager: "somebody", operation: "Update", fieldsV1: { "f:data": { "f:a": {} } } };
    cluster.put(withField(configMap({ a: "theirs" }), ["metadata", "managedFields"], [theirs]));
    const news = withField(inputs, ["data", "a"], "3");
    const error = await failureOf(driver.update(CONFIG_MAP, current, news));
    expect(error.message).to.match(/conflict[\s\S]*\.data\.a[\s\S]*pulumi\.com\/patchForce: "true"/);
    const forced = withField(news, ["metadata", "annotations", "pulumi.com/patchForce"], "true");
    expect((await driver.update(CONFIG_MAP, current, forced)).data).to.deep.equal({ a: "3" });
  });

  it("leaves ignored fields to others", async () => {
    cluster.controller = (object) =>
      object.kind === "Deployment" ? { ...object, status: available } : object;
    const { properties, inputs } = await driver.create(DEPLOYMENT, deployment({ paused: true }));
    const scaled = withField(cluster.live("Deployment", "default", "web"), ["spec", "replicas"], 9);
    const hpa = { manager: "hpa", operation: "Update", fieldsV1: { "f:spec": { "f:replicas": {} } } };
    const ours = {
      manager: "pulumi-kubernetes",
      operation: "Update",
      fieldsV1: { "f:spec": { "f:paused": {} } },
    };
    cluster.put(withField(scaled, ["metadata", "managedFields"], [ours, hpa]));
    const news = withField(inputs, ["spec", "minReadySeconds"], 5);
    const updated = await driver.update(DEPLOYMENT, properties, news, { ignoreChanges: ["spec.replicas"] });
    expect(field(updated, "spec", "replicas")).to.equal(9);
  });

  it("takes the whole of an object over when it imports it", async () => {
    cluster.put(withField(configMap({ a: "1" }), ["metadata", "managedFields"], []));
    const seen = await driver.read(CONFIG_MAP, "default/c");
    expect(seen.inputs).to.deep.equal(configMap({ a: "1" }));
    expect((await driver.diff(CONFIG_MAP, seen.properties, configMap({ a: "1" }))).changes).to.equal(false);
    expect(await driver.isGone(CONFIG_MAP, "default/missing")).to.equal(true);
  });

  it("creates again what others deleted", async () => {
    const { properties, inputs } = await driver.create(CONFIG_MAP, configMap({ a: "1" }));
    cluster.objects.delete(cluster.key("ConfigMap", "default", "c"));
    const updated = await driver.update(CONFIG_MAP, properties, withField(inputs, ["data", "b"], "2"));
    expect(updated.data).to.deep.equal({ a: "1", b: "2" });
    expect(driver.messages.join()).to.contain("was deleted by somebody else");
  });

  it("creates a definition and an object of it at the same time", async () => {
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { kind: "Widget", plural: "widgets" },
        versions: [{ name: "v1" }],
      },
    };
    const widget = {
      apiVersion: "example.com/v1",
      kind: "Widget",
      metadata: { name: "w" },
      spec: { size: 1 },
    };
    const type = "kubernetes:example.com/v1:Widget";
    const previewed = await driver.create(type, widget, { preview: true });
    expect(previewed.properties).to.deep.equal(previewed.inputs);

    const made = driver.create(type, widget);
    const defined = await driver.create(DEFINITION, definition);
    expect((await made).id).to.equal("default/w");
    const names = withField(defined.inputs, ["spec", "versions"], [{ name: "v1" }, { name: "v2" }]);
    await driver.update(DEFINITION, defined.properties, names);
    expect(cluster.writes().at(-1)).to.equal("PUT CustomResourceDefinition widgets.example.com");
  });

  it("finds out late that a kind is cluster-wide", async () => {
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "classes.example.com" },
      spec: {
        group: "example.com",
        scope: "Cluster",
        names: { kind: "Class", plural: "classes" },
        versions: [{ name: "v1" }],
      },
    };
    const type = "kubernetes:example.com/v1:Class";
    const early = await driver.check(type, {
      apiVersion: "example.com/v1",
      kind: "Class",
      metadata: { name: "c" },
    });
    expect(text(early, "metadata", "namespace")).to.equal("default");
    await driver.create(DEFINITION, definition);
    const made = await driver.create(type, early);
    expect(made.id).to.equal("c");
    const later = await driver.check(type, {
      apiVersion: "example.com/v1",
      kind: "Class",
      metadata: { name: "c" },
    });
    expect((await driver.diff(type, made.properties, later)).changes).to.equal(false);
  });

  it("keeps what was created but does not become ready, and says why", async () => {
    cluster.controller = (object) =>
      object.kind === "Deployment"
        ? {
            ...object,
            status: {
              ...available,
              availableReplicas: 0,
              conditions: [{ type: "Available", status: "False", message: "no pods" }],
            },
          }
        : object;
    const metadata = { name: "web-1", namespace: "default", uid: "pod", labels: { app: "web" } };
    const waiting = { reason: "ImagePullBackOff", message: "hunter2 not found" };
    const status = { containerStatuses: [{ name: "c", state: { waiting } }] };
    cluster.put({ apiVersion: "v1", kind: "Pod", metadata, status });
    const involvedObject = { uid: "pod", kind: "Pod" };
    cluster.put({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e", namespace: "default" },
      reason: "Failed",
      message: "pull",
      involvedObject,
    });

    const news = deployment({}, { note: new Secret("hunter2") });
    const error = (await failureOf(
      driver.create(DEPLOYMENT, news, { timeoutSeconds: 0.3 }),
    )) as InitializationFailed;
    expect(error).to.be.instanceOf(InitializationFailed);
    expect(error.id).to.equal("default/web");
    expect(error.properties.__inputs).to.deep.include({ kind: "Deployment" });
    expect(error.reasons).to.deep.equal([
      "Deployment default/web is not ready: not ready after 0.3 s: 0 of 1 pods are available",
      "condition Available=False: no pods",
      "pod web-1, container c: ImagePullBackOff: [secret] not found",
      "event Failed of Pod: pull",
    ]);
  });

  it("waits for what the program says", async () => {
    const news = deployment({}, { "pulumi.com/waitFor": "jsonpath={.status.phase}=Healthy" });
    const made = driver.create(DEPLOYMENT, news);
    await until(() => driver.statuses.some((status) => status.includes("{.status.phase} to exist")));
    cluster.put({ ...cluster.live("Deployment", "default", "web"), status: { phase: "Healthy" } });
    expect((await made).id).to.equal("default/web");
    const wrong = deployment({}, { "pulumi.com/waitFor": "phase=Healthy" });
    expect((await failureOf(driver.check(DEPLOYMENT, wrong))).message).to.contain(
      'has to start with "jsonpath="',
    );
  });

  it("waits until a deleted object is gone, and says what holds it", async () => {
    const { id, properties } = await driver.create(CONFIG_MAP, configMap({}));
    const held = withField(
      cluster.live("ConfigMap", "default", "c"),
      ["metadata", "finalizers"],
      ["example.com/hold"],
    );
    cluster.put(held);
    const error = await failureOf(driver.delete(CONFIG_MAP, id, properties, 0.3));
    expect(error.message).to.contain("not gone after 0.3 s: held by its finalizers example.com/hold");
    cluster.put(withField(held, ["metadata", "finalizers"], []));
    await driver.delete(CONFIG_MAP, id, properties);
  });

  it("patches single fields of an object of others, and takes them away again", async () => {
    cluster.put(withField(configMap({ theirs: "1" }), ["metadata", "managedFields"], []));
    const type = "kubernetes:core/v1:ConfigMapPatch";
    const patch = await driver.create(type, configMap({ ours: "2" }));
    expect(cluster.live("ConfigMap", "default", "c").data).to.deep.equal({ theirs: "1", ours: "2" });
    await driver.delete(type, patch.id, patch.properties);
    expect(cluster.live("ConfigMap", "default", "c").data).to.deep.equal({ theirs: "1" });
    expect((await failureOf(driver.check(type, configMap({}, {})))).message).to.contain("set metadata.name");
  });

  it("refuses what it cannot do, with what can", async () => {
    const list = failureOf(driver.check("kubernetes:core/v1:ConfigMapList", { kind: "ConfigMapList" }));
    expect((await list).message).to.contain("declare the objects in it one by one");
    expect(() =>
      driver.provider.check({ ...driver.operation("kubernetes:helm.sh/v3:Release") } as never),
    ).to.throw("official plugin");
  });

  it("never lets the data of a Secret into a message", async () => {
    const type = "kubernetes:core/v1:Secret";
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", namespace: "default" },
      stringData: { p: "hunter2" },
    };
    const encoded = Buffer.from("hunter2").toString("base64");
    cluster.fault = ({ method }) =>
      method === "POST"
        ? { code: 422, reason: "Invalid", message: `bad value hunter2 (${encoded})` }
        : undefined;
    const error = await failureOf(driver.create(type, secret));
    expect(error.message).to.contain("bad value [secret] ([secret])");
    expect(error.message).not.to.match(/hunter2|aHVudGVyMg/);
  });
});

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 10));
}
