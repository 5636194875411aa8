import { expect } from "chai";
import { compareObject, type Difference } from "../../../tools/drift/compare";
import { describeDifference } from "../../../tools/drift/finding";
import { writersOf } from "../../../tools/drift/managedFields";
import type { KubeObject } from "../../../tools/plugins/kubernetes/object";
import type { PropertyMap } from "../../../tools/plugins/rpc/values";

const entry = (manager: string, fieldsV1: PropertyMap, more: PropertyMap = {}): PropertyMap => ({
  manager,
  operation: manager.startsWith("pulumi") ? "Apply" : "Update",
  time: "2026-11-25T08:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1,
  ...more,
});

const container = (name: string, more: PropertyMap = {}): PropertyMap => ({
  name,
  image: `${name}:1`,
  ...more,
});

/** A Deployment as the API server gives it back: by the stack, with defaults. */
function deployment(
  containers: PropertyMap[],
  others: PropertyMap[] = [],
  spec: PropertyMap = {},
): KubeObject {
  const own = entry("pulumi-kubernetes-1", {
    "f:spec": {
      "f:template": {
        "f:spec": {
          "f:containers": { 'k:{"name":"web"}': { ".": {}, "f:name": {}, "f:image": {}, "f:ports": {} } },
        },
      },
    },
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop", managedFields: [own, ...others] },
    spec: {
      progressDeadlineSeconds: 600,
      ...spec,
      template: { spec: { containers, dnsPolicy: "ClusterFirst" } },
    },
  };
}

const wanted: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop" },
  spec: { template: { spec: { containers: [container("web")] } } },
};

const withManager = (object: KubeObject, ...others: PropertyMap[]): KubeObject => ({
  ...object,
  metadata: { ...(object.metadata as PropertyMap), managedFields: others },
});

const inContainers = (fields: PropertyMap): PropertyMap => ({
  "f:spec": { "f:template": { "f:spec": { "f:containers": fields } } },
});

function told(live: KubeObject, last: KubeObject = deployment([container("web")]), from = wanted): string[] {
  const differences = compareObject({ wanted: from, live, last }, () => false);
  return differences.map((difference: Difference) => describeDifference(difference, false));
}

describe("comparing a live object with what a stack says", () => {
  it("takes what the cluster fills in for no difference", () => {
    const live = deployment([container("web", { imagePullPolicy: "IfNotPresent" })]);
    expect(told(live)).to.deep.equal([]);
  });

  it("sees what somebody added to an element of a list that is told apart by names", () => {
    const by = entry("kubectl-edit", inContainers({ 'k:{"name":"web"}': { "f:env": {} } }));
    const live = deployment([container("web", { env: [{ name: "DEBUG", value: "1" }] })], [by]);
    expect(told(live)).to.deep.equal(["spec.template.spec.containers[0].env was added"]);
  });

  it("sees an element that somebody put in front of the stack's own", () => {
    const by = entry(
      "kubectl-edit",
      inContainers({ 'k:{"name":"spy"}': { ".": {}, "f:name": {}, "f:image": {} } }),
    );
    const live = deployment([container("spy"), container("web")], [by]);
    expect(told(live)).to.deep.equal(["spec.template.spec.containers[0] was added"]);
  });

  it("leaves an element alone that a controller put there", () => {
    const fields = inContainers({ 'k:{"name":"proxy"}': { ".": {}, "f:name": {} } });
    const live = deployment([container("web"), container("proxy")], [entry("vpa-updater", fields)]);
    expect(told(live)).to.deep.equal([]);
  });

  it("sees an element that is gone", () => {
    const two = deployment([container("web"), container("side")]);
    const both = {
      ...wanted,
      spec: { template: { spec: { containers: [container("web"), container("side")] } } },
    };
    expect(told(deployment([container("web")]), two, both)).to.deep.equal([
      "spec.template.spec.containers[1] is gone",
    ]);
  });

  it("sees a field that is gone, whatever it said", () => {
    const careful = deployment([container("web", { securityContext: { allowPrivilegeEscalation: false } })]);
    const said = { ...wanted, spec: { ...(careful.spec as PropertyMap), paused: false } };
    const before = { ...careful, spec: { ...(careful.spec as PropertyMap), paused: false } };
    const live = deployment([container("web", { securityContext: {} })]);
    expect(told(live, before, said)).to.have.members([
      "spec.paused is gone",
      "spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation is gone",
    ]);
    // The API server never took it.
    expect(told(careful, careful, said)).to.deep.equal([]);
  });

  it("believes a controller that changed a field, and nobody else", () => {
    const from = { ...wanted, spec: { replicas: 2 } };
    const last = { ...wanted, spec: { replicas: 2 } };
    const scaled = (manager: string) =>
      withManager(
        { ...wanted, spec: { replicas: 5 } },
        entry(manager, { "f:spec": { "f:replicas": {} } }, { subresource: "scale" }),
      );
    expect(told(scaled("kube-controller-manager"), last, from)).to.deep.equal([]);
    expect(told(scaled("kubectl"), last, from)).to.deep.equal(["spec.replicas is 5, not 2"]);
  });

  it("takes what the API server made of a value for no difference, as long as nobody touches it", () => {
    const from = { ...wanted, spec: { cpu: "0.5" } };
    const made = { ...wanted, spec: { cpu: "500m" } };
    expect(told(made, made, from)).to.deep.equal([]);
    const touched = withManager(made, entry("kubectl-edit", { "f:spec": { "f:cpu": {} } }));
    expect(told(touched, made, from)).to.deep.equal(['spec.cpu is "500m", not "0.5"']);
  });

  it("finds additions in a list that is managed as a whole, wherever they stand", () => {
    const rule = (port: number): PropertyMap => ({ ports: [{ port, protocol: "TCP" }] });
    const policy = (spec: PropertyMap): KubeObject => ({
      kind: "NetworkPolicy",
      metadata: { name: "allow" },
      spec,
    });
    const from = policy({ ingress: [{ ports: [{ port: 80 }] }, { ports: [{ port: 443 }] }] });
    const last = policy({ ingress: [rule(80), rule(443)] });
    const by = entry("kubectl-edit", { "f:spec": { "f:ingress": {} } });
    const opened = withManager(policy({ ingress: [rule(80), rule(22), rule(443)] }), by);
    expect(told(opened, last, from)).to.deep.equal(["spec.ingress[1] was added"]);
    const closed = withManager(policy({ ingress: [rule(443)] }), by);
    expect(told(closed, last, from)).to.deep.equal([
      "spec.ingress[0].ports[0].port is 443, not 80",
      "spec.ingress[1] is gone",
    ]);
    const anywhere = withManager(policy({ ingress: [{}, rule(443)] }), by);
    expect(told(anywhere, last, from)).to.deep.equal(["spec.ingress[0].ports is gone"]);
  });

  it("says of one that was there at the last update already that somebody added it, if somebody did", () => {
    const by = entry("kubectl-annotate", { "f:metadata": { "f:annotations": { ".": {}, "f:note": {} } } });
    const noted = withManager(wanted, by);
    const live = { ...noted, metadata: { ...(noted.metadata as PropertyMap), annotations: { note: "x" } } };
    expect(told(live, live)).to.deep.equal(["metadata.annotations was added"]);
    // The maker of an object has all of its fields, the filled-in ones too.
    const remade = withManager(
      { ...wanted, spec: { ...(wanted.spec as PropertyMap), dns: "A" } },
      entry("kubectl-create", { "f:spec": { "f:dns": {} } }),
    );
    const last = { ...wanted, spec: { ...(wanted.spec as PropertyMap), dns: "A" } };
    expect(told(remade, last)).to.deep.equal([]);
  });

  it("shows no value from where secrets may stand", () => {
    const config = (data: PropertyMap, ...by: PropertyMap[]) =>
      withManager({ kind: "ConfigMap", metadata: {}, data }, ...by);
    const by = entry("kubectl-edit", { "f:data": { "f:key": {} } });
    expect(told(config({ key: "sentinel" }, by), config({ key: "a" }), config({ key: "a" }))).to.deep.equal([
      "data.key has another value",
    ]);
  });

  it("leaves the status to those who report it", () => {
    const reported = withManager(
      wanted,
      entry("kubectl-edit", { "f:status": { "f:x": {} } }, { subresource: "status" }),
    );
    expect(writersOf(reported, ["status", "x"])).to.deep.equal([]);
    expect(told({ ...reported, status: { x: 1 } })).to.deep.equal([]);
  });

  it("leaves out what the program leaves to others", () => {
    const from = { ...wanted, spec: { replicas: 2 } };
    const live = withManager(
      { ...wanted, spec: { replicas: 5 } },
      entry("kubectl", { "f:spec": { "f:replicas": {} } }),
    );
    const views = { wanted: from, live, last: from };
    expect(compareObject(views, (path) => path.join(".") === "spec.replicas")).to.deep.equal([]);
  });
});
