import { expect } from "chai";
import { Cluster } from "../../../tools/drift/cluster";
import { nameOf } from "../../../tools/plugins/kubernetes/object";
import { readKubeconfig, selectTarget } from "../../../tools/plugins/kubernetes/cluster/kubeconfig";
import { Transport } from "../../../tools/plugins/kubernetes/cluster/transport";
import { FakeCluster } from "../plugins/kubernetes/support/fake-cluster";

describe("the cluster that drift is looked for in", () => {
  let fake: FakeCluster;
  let cluster: Cluster;

  beforeEach(async () => {
    fake = await FakeCluster.start();
    const config = await readKubeconfig(fake.kubeconfig);
    const selection = { kubeconfig: "", context: "", cluster: "", namespace: "" };
    cluster = new Cluster(new Transport(selectTarget(config, selection), { retries: 0 }));
  });
  afterEach(() => fake.stop());

  const configMap = (name: string, namespace = "shop") => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace },
  });

  it("is read in the order that was asked for, many objects at a time", async () => {
    const objects = Array.from({ length: 210 }, (_, index) => configMap(`map-${index}`));
    for (const object of objects.slice(1)) fake.put(object);
    let read = 0;
    const live = await cluster.live(objects, () => (read += 1));
    expect(live[0]).to.equal(undefined);
    expect(live.slice(1).map((object) => nameOf(object ?? {}))).to.deep.equal(objects.slice(1).map(nameOf));
    expect(read).to.equal(210);
  });

  it("has no objects of kinds that it does not know", async () => {
    const [live] = await cluster.live([{ ...configMap("x"), kind: "Widget" }], () => undefined);
    expect(live).to.equal(undefined);
  });

  it("lists what lies in some namespaces, without the kinds left out", async () => {
    for (const object of [configMap("one"), configMap("two", "other"), { ...configMap("pod"), kind: "Pod" }])
      fake.put(object);
    const found = await cluster.inNamespaces(new Set(["shop"]), new Set(["pods"]));
    expect(found.map(nameOf)).to.deep.equal(["one"]);
    expect(fake.calls.some(({ path }) => path.endsWith("/pods"))).to.equal(false);
  });

  it("is listed without an extension that is down, but not without what was refused", async () => {
    fake.put(configMap("one"));
    const down = { code: 503, reason: "ServiceUnavailable", message: "no endpoints" };
    fake.fault = ({ path }) => (path === "/apis/batch/v1" ? down : undefined);
    expect(await cluster.inNamespaces(new Set(["shop"]), new Set())).to.have.length(1);
    const refused = { code: 403, reason: "Forbidden", message: "secrets is forbidden" };
    fake.fault = ({ path }) => (path.endsWith("/secrets") ? refused : undefined);
    const told = await cluster
      .inNamespaces(new Set(["shop"]), new Set())
      .catch((error: Error) => error.message);
    expect(told).to.equal("secrets is forbidden");
  });
});
