import { expect } from "chai";
import { keepIgnored, takeOverCreation } from "../../../../tools/plugins/kubernetes/managed-fields";

const entry = (manager: string, operation: string, fieldsV1: object, more: object = {}) =>
  ({ manager, operation, apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1, ...more }) as never;
const live = (...managedFields: never[]) => ({ metadata: { resourceVersion: "7", managedFields } });

describe("managed fields", () => {
  it("take over what was created", () => {
    const created = entry("pulumi-kubernetes", "Update", { "f:data": { "f:a": {} } });
    const other = entry("kubelet", "Update", { "f:status": {} }, { subresource: "status" });
    expect(takeOverCreation(live(created, other), "mine")).to.deep.equal([
      {
        op: "replace",
        path: "/metadata/managedFields",
        value: [other, entry("mine", "Apply", { "f:data": { "f:a": {} } })],
      },
      { op: "replace", path: "/metadata/resourceVersion", value: "7" },
    ]);
  });

  it("join what an earlier apply has already", () => {
    const mine = entry("mine", "Apply", { "f:data": { "f:a": {} } });
    const created = entry("pulumi-kubernetes", "Update", { "f:data": { "f:b": {} }, "f:type": {} });
    const [patch] = takeOverCreation(live(mine, created), "mine") as [{ value: object[] }];
    expect(patch.value).to.deep.equal([
      entry("mine", "Apply", { "f:data": { "f:a": {}, "f:b": {} }, "f:type": {} }),
    ]);
  });

  it("leave others and status alone", () => {
    const status = entry("pulumi-kubernetes", "Update", { "f:status": {} }, { subresource: "status" });
    expect(takeOverCreation(live(entry("hpa", "Update", {}), status), "mine")).to.equal(undefined);
  });

  it("are not claimed for ignored fields of others", () => {
    const object = {
      ...live(
        entry("mine", "Apply", { "f:spec": { "f:paused": {} } }),
        entry("hpa", "Update", { "f:spec": { "f:replicas": {} } }),
      ),
      spec: { replicas: 5, paused: true },
    };
    const inputs = { spec: { replicas: 1, paused: false, other: 1 } };
    expect(keepIgnored(inputs, object, "mine", ["spec.replicas"])).to.deep.equal({
      spec: { paused: false, other: 1 },
    });
    expect(keepIgnored(inputs, object, "mine", ["spec.paused"])).to.deep.equal({
      spec: { replicas: 1, paused: true, other: 1 },
    });
    expect(keepIgnored(inputs, object, "mine", ["spec.other", "spec.list[0]"])).to.deep.equal(inputs);
  });
});
