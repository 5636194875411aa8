import { expect } from "chai";
import { decodeYaml, invoke } from "../../../../tools/plugins/kubernetes/invoke";
import { Driver, failureOf } from "./support/driver";

describe("kubernetes:yaml:decode", () => {
  it("reads YAML as Kubernetes does", () => {
    const [object] = decodeYaml(`
apiVersion: v1
kind: ConfigMap
metadata: &m {name: a}
data: {mode: 0644, on: yes, time: 2001-01-01, base60: 12:30, text: "yes"}
copy: {<<: *m, more: 1}
`);
    expect(object).to.deep.equal({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a" },
      data: { mode: 420, true: true, time: "2001-01-01", base60: "12:30", text: "yes" },
      copy: { name: "a", more: 1 },
    });
  });

  it("takes each document that is an object", () => {
    const text =
      "---\n# nothing\n---\nkind: X\napiVersion: v1\n---\njust: data\n---\nkind: Z\napiVersion: v1\n";
    expect(decodeYaml(text).map(({ kind }) => kind)).to.deep.equal(["X", "Z"]);
    expect(() => decodeYaml("a: [")).to.throw("cannot read the YAML");
  });

  it("puts objects into the namespace that is asked for", async () => {
    const driver = await Driver.configured({ kubeconfig: "/nonexistent" });
    const args = {
      text: "{kind: Namespace, apiVersion: v1}\n---\n{kind: Pod, apiVersion: v1}",
      defaultNamespace: "n",
    };
    const request = {
      token: "kubernetes:yaml:decode",
      args,
      preview: true,
      signal: driver.cancellation.signal,
    };
    expect(await driver.provider.invoke?.(request)).to.deep.equal({
      result: {
        result: [
          { kind: "Namespace", apiVersion: "v1" },
          { kind: "Pod", apiVersion: "v1", metadata: { namespace: "n" } },
        ],
      },
    });
    const other = { ...request, token: "kubernetes:helm:template" };
    expect((await failureOf(invoke({} as never, other))).message).to.contain("needs the official plugin");
  });
});
