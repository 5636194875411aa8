import { expect } from "chai";
import { normalizeInputs } from "../../../../tools/plugins/kubernetes/normalize";
import { omit } from "../../../../tools/plugins/kubernetes/object";
import { Unknown } from "../../../../tools/plugins/rpc/values";

describe("normalize", () => {
  const deployment = (podSpec: Record<string, unknown>, spec: Record<string, unknown> = {}) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: { ...spec, template: { spec: podSpec } } as never,
  });

  it("leaves out what the API server leaves out", () => {
    const given = deployment(
      {
        hostNetwork: false,
        automountServiceAccountToken: false,
        nodeSelector: {},
        volumes: [{ name: "tmp", emptyDir: {} }],
        containers: [{ name: "c", image: "", tty: false, resources: { limits: {} } }],
      },
      { replicas: 0, minReadySeconds: 0 },
    );
    // Pointers keep their zero, plain fields lose it; an empty struct stays.
    expect(normalizeInputs(given)).to.deep.equal(
      deployment(
        {
          automountServiceAccountToken: false,
          volumes: [{ name: "tmp", emptyDir: {} }],
          containers: [{ name: "c", resources: {} }],
        },
        { replicas: 0 },
      ),
    );
  });

  it("spells quantities as the API server does, wherever they are", () => {
    const given = deployment({
      containers: [
        { name: "c", resources: { requests: { cpu: "0.5", memory: "1024Mi" }, limits: { cpu: 2 } } },
      ],
      volumes: [{ name: "v", emptyDir: { sizeLimit: "1000Mi" } }],
    });
    expect(normalizeInputs(given)).to.deep.equal(
      deployment({
        containers: [
          { name: "c", resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "2" } } },
        ],
        volumes: [{ name: "v", emptyDir: { sizeLimit: "1000Mi" } }],
      }),
    );
  });

  it("keeps numbers and names of ports", () => {
    const ports = [
      { port: 80, targetPort: "http" },
      { port: 81, targetPort: 8081 },
    ];
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: { ports } };
    expect(normalizeInputs(service)).to.deep.equal(service);
  });

  it("leaves an object of wrong types alone, for the API server to refuse", () => {
    const given = deployment({ hostNetwork: "no", nodeSelector: {} });
    expect(normalizeInputs(given)).to.deep.equal(given);
  });

  it("leaves custom resources and unknowns alone, but for what only the cluster sets", () => {
    const custom = {
      apiVersion: "example.com/v1",
      kind: "Widget",
      metadata: { name: "w", uid: "1" },
      spec: { a: false },
    };
    expect(normalizeInputs(custom)).to.deep.equal({ ...custom, metadata: { name: "w" } });
    const unknown = { ...deployment({ hostNetwork: false }), extra: Unknown.value };
    expect(normalizeInputs(unknown)).to.deep.equal(unknown);
  });

  it("turns the stringData of a Secret into data", () => {
    const given = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      data: { old: "b\nGQ=\n", both: "eA==" },
      stringData: { both: "new" },
    };
    expect(normalizeInputs(given)).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      data: { old: "b\nGQ=\n", both: "bmV3" },
    });
    expect(normalizeInputs(omit(given, "stringData")).data).to.deep.equal({ old: "bGQ=", both: "eA==" });
  });

  it("drops what the API server drops from a definition", () => {
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.example.com", creationTimestamp: null },
      spec: { group: "example.com", preserveUnknownFields: false },
      status: { conditions: [] },
    };
    expect(normalizeInputs(definition)).to.deep.equal({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.example.com" },
      spec: { group: "example.com" },
    });
  });
});
