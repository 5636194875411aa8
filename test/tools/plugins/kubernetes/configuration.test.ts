import { expect } from "chai";
import { checkConfig, diffConfig } from "../../../../tools/plugins/kubernetes/configuration";
import { readSettings } from "../../../../tools/plugins/kubernetes/settings";
import type { CheckRequest, DiffRequest } from "../../../../tools/plugins/rpc/provider";
import { Secret, Unknown, type PropertyMap } from "../../../../tools/plugins/rpc/values";

const kubeconfig = (server: string, token = "t") =>
  JSON.stringify({
    "current-context": "a",
    clusters: [
      { name: "a", cluster: { server } },
      { name: "b", cluster: { server: "https://b" } },
    ],
    users: [{ name: "a", user: { token } }],
    contexts: [
      { name: "a", context: { cluster: "a", user: "a" } },
      { name: "b", context: { cluster: "b", user: "a" } },
    ],
  });

const replaced = async (olds: PropertyMap, news: PropertyMap) =>
  (await diffConfig({ olds, oldInputs: olds, news } as DiffRequest)).replaces ?? [];

describe("configuration of the kubernetes provider", () => {
  it("replaces everything when it leads to another cluster, and only then", async () => {
    const a = { kubeconfig: kubeconfig("https://a") };
    expect(await replaced(a, { kubeconfig: kubeconfig("https://c") })).to.deep.equal(["kubeconfig"]);
    expect(await replaced(a, { ...a, context: "b" })).to.deep.equal(["context"]);
    expect(await replaced(a, { ...a, cluster: "b" })).to.deep.equal(["cluster"]);
    expect(await replaced(a, { kubeconfig: kubeconfig("https://a", "other token") })).to.deep.equal([]);
    expect(await replaced(a, { kubeconfig: new Secret(a.kubeconfig) })).to.deep.equal([]);
    expect(await replaced(a, { ...a, namespace: "n" })).to.deep.equal([]);
    expect(await replaced(a, { kubeconfig: Unknown.value })).to.deep.equal(["kubeconfig"]);
    expect(await replaced(a, {})).to.deep.equal([]);
  });

  it("goes by the cluster's identifier where both sides have one", async () => {
    const before = { kubeconfig: kubeconfig("https://a"), clusterIdentifier: "x" };
    expect(await replaced(before, { ...before, kubeconfig: kubeconfig("https://c") })).to.deep.equal([]);
    expect(await replaced(before, { ...before, clusterIdentifier: "y" })).to.deep.equal([
      "clusterIdentifier",
    ]);
  });

  it("refuses what needs the official plugin", async () => {
    const check = async (news: PropertyMap, urn = "urn::provider") =>
      ((await checkConfig({ news, urn } as CheckRequest)).failures ?? []).map(({ property }) => property);
    expect(await check({ renderYamlToDirectory: "out" })).to.deep.equal(["renderYamlToDirectory"]);
    expect(await check({ context: "a" })).to.deep.equal([]);
    expect(await check({ strictMode: "true", context: "a" })).to.deep.equal(["kubeconfig"]);
    expect(() => readSettings({ enableServerSideApply: "false" }, {})).to.throw("needs the official plugin");
  });

  it("takes switches from the settings, then from the environment", () => {
    const environment = { PULUMI_K8S_ENABLE_PATCH_FORCE: "true", PULUMI_K8S_DELETE_UNREACHABLE: "true" };
    const settings = readSettings(
      { enablePatchForce: "false", kubeClientSettings: '{"timeout":5}' },
      environment,
    );
    expect(settings).to.include({
      patchForce: false,
      deleteUnreachable: true,
      requestTimeoutSeconds: 5,
      upsert: false,
    });
    expect(readSettings({ kubeconfig: Unknown.value }, {}).unusable).to.contain(
      "kubeconfig is not known yet",
    );
  });
});
