import { expect } from "chai";
import { detailedDiff } from "../../../../tools/plugins/kubernetes/diff";
import { immutableFields } from "../../../../tools/plugins/kubernetes/force-new";
import type { PropertyMap } from "../../../../tools/plugins/rpc/values";

const IMMUTABLE = { mutableConfigMaps: false, mutableSecrets: false };
const MUTABLE = { mutableConfigMaps: true, mutableSecrets: true };

function replacing(
  apiVersion: string,
  kind: string,
  before: PropertyMap,
  after: PropertyMap,
  how = IMMUTABLE,
): string[] {
  const head = { apiVersion, kind };
  const fields = immutableFields({ ...head, ...after }, how);
  const diff = detailedDiff({ ...head, ...before }, { ...head, ...after }, fields);
  return Object.keys(diff).filter((path) => diff[path]?.kind.endsWith("-replace"));
}

describe("fields that need a new object", () => {
  it("are name and namespace, of every kind", () => {
    const found = replacing(
      "example.com/v1",
      "Widget",
      { metadata: { name: "a", namespace: "x", labels: { l: "1" } }, spec: { size: 1 } },
      { metadata: { name: "b", namespace: "y", labels: { l: "2" } }, spec: { size: 2 } },
    );
    expect(found).to.deep.equal(["metadata.name", "metadata.namespace"]);
  });

  const cases: [kind: string, path: string, before: PropertyMap, after: PropertyMap][] = [
    ["apps/v1 Deployment", "spec.selector.matchLabels.a", sel("1"), sel("2")],
    ["apps/v1 DaemonSet", "spec.selector.matchLabels.a", sel("1"), sel("2")],
    ["apps/v1 StatefulSet", "spec.serviceName", spec({ serviceName: "a" }), spec({ serviceName: "b" })],
    [
      "apps/v1 StatefulSet",
      "spec.volumeClaimTemplates[0].spec.storageClassName",
      spec({ volumeClaimTemplates: [{ spec: { storageClassName: "a" } }] }),
      spec({ volumeClaimTemplates: [{ spec: { storageClassName: "b" } }] }),
    ],
    [
      "batch/v1 Job",
      "spec.template.spec.containers[0].image",
      spec({ template: { spec: { containers: [{ image: "a" }] } } }),
      spec({ template: { spec: { containers: [{ image: "b" }] } } }),
    ],
    ["v1 Service", "spec.clusterIP", spec({}), spec({ clusterIP: "None" })],
    ["v1 PersistentVolumeClaim", "spec.storageClassName", spec({ storageClassName: "a" }), spec({})],
    [
      "v1 Pod",
      "spec.containers[0].image",
      spec({ containers: [{ image: "a" }] }),
      spec({ containers: [{ image: "b" }] }),
    ],
    [
      "rbac.authorization.k8s.io/v1 RoleBinding",
      "roleRef.name",
      { roleRef: { name: "a" } },
      { roleRef: { name: "b" } },
    ],
    ["storage.k8s.io/v1 StorageClass", "parameters", {}, { parameters: { a: "b" } }],
    ["v1 ConfigMap", "data.a", { data: { a: "1" } }, { data: { a: "2" } }],
    ["v1 Secret", "type", { type: "Opaque" }, { type: "kubernetes.io/tls" }],
    ["apps/v1 Deployment", "spec", {}, sel("1")],
  ];
  for (const [kind, path, before, after] of cases) {
    it(`${kind}: ${path}`, () => {
      const [version = "", name = ""] = kind.split(" ");
      expect(replacing(version, name, before, after)).to.deep.equal([path]);
    });
  }

  it("are not those that can change in place", () => {
    const scaled = replacing("apps/v1", "Deployment", spec({ replicas: 1 }), spec({ replicas: 2 }));
    const claim = replacing(
      "v1",
      "PersistentVolumeClaim",
      spec({ resources: { a: 1 } }),
      spec({ resources: { a: 2 } }),
    );
    const pod = replacing(
      "v1",
      "Pod",
      spec({ tolerations: [{ key: "a" }] }),
      spec({ tolerations: [{ key: "b" }] }),
    );
    expect([...scaled, ...claim, ...pod]).to.deep.equal([]);
  });

  it("follow the settings and `immutable` for ConfigMaps and Secrets", () => {
    const before = { data: { a: "1" } };
    const after = { data: { a: "2" } };
    expect(replacing("v1", "ConfigMap", before, after, MUTABLE)).to.deep.equal([]);
    expect(replacing("v1", "Secret", before, after, MUTABLE)).to.deep.equal([]);
    expect(replacing("v1", "ConfigMap", before, { ...after, immutable: true }, MUTABLE)).to.deep.equal([
      "data.a",
    ]);
    expect(replacing("v1", "Secret", before, { ...after, immutable: true }, MUTABLE)).to.deep.equal([
      "data.a",
    ]);
  });
});

function spec(value: PropertyMap): PropertyMap {
  return { spec: value };
}

function sel(value: string): PropertyMap {
  return spec({ selector: { matchLabels: { a: value } } });
}
