import { expect } from "chai";
import { findExtra } from "../../../tools/drift/extra";
import { objectOf } from "../../../tools/drift/finding";
import { readState } from "../../../tools/drift/state";
import type { KubeObject } from "../../../tools/plugins/kubernetes/object";
import type { PropertyMap } from "../../../tools/plugins/rpc/values";

const object = (kind: string, name: string, metadata: PropertyMap = {}, apiVersion = "v1"): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: "shop", ...metadata },
});
const by = (...managers: string[]): PropertyMap => ({
  managedFields: managers.map((manager) => ({ manager, operation: "Update", fieldsV1: { "f:data": {} } })),
});
const inState = (type: string, inputs: KubeObject) => {
  const { name } = inputs.metadata as { name: string };
  return {
    urn: `urn:pulumi:test::p::${type}::${name}`,
    type,
    custom: true,
    id: `shop/${name}`,
    inputs,
    outputs: inputs,
  };
};

describe("objects that nobody expects", () => {
  const database: KubeObject = {
    ...object("StatefulSet", "database", {}, "apps/v1"),
    spec: { volumeClaimTemplates: [{ metadata: { name: "data" } }] },
  };
  const { objects } = readState(
    JSON.stringify({
      deployment: {
        resources: [
          inState("kubernetes:core/v1:ConfigMap", object("ConfigMap", "own")),
          inState(
            "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
            object("HorizontalPodAutoscaler", "own", {}, "autoscaling/v2"),
          ),
          inState("kubernetes:apps/v1:StatefulSet", database),
        ],
      },
    }),
  );
  const extra = (...found: KubeObject[]) => findExtra(found, objects).map(objectOf);

  it("are those that somebody made, and nobody else", () => {
    expect(extra(object("ConfigMap", "hand", by("kubectl-create")))).to.deep.equal(["ConfigMap shop/hand"]);
    expect(extra(object("Role", "hand", by("unknown"), "rbac.authorization.k8s.io/v1"))).to.deep.equal([
      "Role shop/hand",
    ]);
    expect(extra(object("ConfigMap", "nobody"))).to.deep.equal(["ConfigMap shop/nobody"]);
    expect(extra(object("ConfigMap", "both", by("kube-controller-manager", "kubectl-edit")))).to.have.length(
      1,
    );
  });

  it("are not the keys that sealed Secrets are opened with, whoever put them there", () => {
    const labels = { "sealedsecrets.bitnami.com/sealed-secrets-key": "active" };
    expect(extra(object("Secret", "key", { labels, ...by("unknown") }))).to.deep.equal([]);
    expect(extra(object("Secret", "key", by("unknown")))).to.have.length(1);
    expect(extra(object("ConfigMap", "key", { labels, ...by("unknown") }))).to.have.length(1);
  });

  it("are not the stack's own, in whatever version they are served", () => {
    expect(extra(object("ConfigMap", "own", by("kubectl-edit")))).to.deep.equal([]);
    expect(extra(object("HorizontalPodAutoscaler", "own", by("x"), "autoscaling/v1"))).to.deep.equal([]);
    expect(extra(object("ConfigMap", "own", { ...by("x"), namespace: "other" }))).to.have.length(1);
  });

  it("are not what the cluster and its controllers make", () => {
    const owner = { ownerReferences: [{ kind: "ReplicaSet", name: "x" }], ...by("kubectl") };
    for (const made of [
      object("ConfigMap", "kube-root-ca.crt", by("kubectl-edit")),
      object("ServiceAccount", "default"),
      object("ReplicaSet", "owned", owner, "apps/v1"),
      object("ConfigMap", "controlled", by("kube-controller-manager", "rollouts-controller")),
      object("Secret", "issued", { labels: { "app.kubernetes.io/managed-by": "cert-manager" }, ...by("x") }),
    ]) {
      expect(extra(made), objectOf(findExtraName(made))).to.deep.equal([]);
    }
  });

  it("are not what an earlier version of the stack has left behind on purpose", () => {
    expect(extra(object("ConfigMap", "config-1", by("pulumi-kubernetes-55d5099f")))).to.deep.equal([]);
    expect(extra(object("ConfigMap", "config-1", by("pulumi-kubernetes", "kubectl-edit")))).to.have.length(1);
  });

  it("are not the volumes of a StatefulSet", () => {
    const claim = (name: string) => object("PersistentVolumeClaim", name, by("kubectl"));
    expect(extra(claim("data-database-0"), claim("data-database-12"))).to.deep.equal([]);
    expect(extra(claim("data-database-x"), claim("mydata-database-0"))).to.have.length(2);
  });
});

const findExtraName = ({ kind, metadata }: KubeObject) =>
  ({ kind, namespace: "", name: (metadata as { name: string }).name }) as Parameters<typeof objectOf>[0];
