import { expect } from "chai";
import {
  hasInterrupted,
  settle,
  settleInterrupted,
  type Deployment,
} from "../../../tools/engine/interrupted";
import type { Captured } from "../../../tools/engine/processes";
import { readCheckpoint } from "../../../tools/plugins/kubernetes/checkpoint";
import type { PropertyMap } from "../../../tools/plugins/rpc/values";
import { messageOfFailure } from "./support";

const configMap = {
  urn: "urn:pulumi:local::technova::kubernetes:core/v1:ConfigMap::cm",
  type: "kubernetes:core/v1:ConfigMap",
  custom: true,
  inputs: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cm", namespace: "inventory" } },
};
const namespace = {
  ...configMap,
  urn: "urn:pulumi:local::technova::kubernetes:core/v1:Namespace::ns",
  inputs: { apiVersion: "v1", kind: "Namespace", metadata: { name: "ns" } },
};
const password = { urn: "urn:p", type: "random:index/randomPassword:RandomPassword", inputs: { length: 8 } };
const repository = { urn: "urn:r", type: "github:index/repository:Repository", inputs: { name: "r" } };

const stateWith = (deployment: Deployment["deployment"]): Deployment => ({ version: 3, deployment });
const creating = (
  resource: Deployment["deployment"]["resources"] extends (infer R)[] | undefined ? R : never,
) => ({
  type: "creating",
  resource,
});

describe("what a killed command left", () => {
  it("is seen in the text of a checkpoint", () => {
    expect(hasInterrupted('{"pending_operations":[{"type":"creating"}]}')).to.equal(true);
    expect(hasInterrupted('{"pending_operations": []}')).to.equal(false);
    expect(hasInterrupted("{}")).to.equal(false);
  });

  it("enters a Kubernetes object under the ID that it would have, to be read", () => {
    const { deployment, refresh } = settle(
      stateWith({ resources: [], pending_operations: [creating(configMap), creating(namespace)] }),
    );
    expect(deployment.deployment.resources).to.deep.equal([
      { ...configMap, id: "inventory/cm", outputs: { ...configMap.inputs, __inputs: configMap.inputs } },
      { ...namespace, id: "ns", outputs: { ...namespace.inputs, __inputs: namespace.inputs } },
    ]);
    expect(deployment.deployment.pending_operations).to.deep.equal([]);
    expect(refresh).to.deep.equal([configMap.urn, namespace.urn]);
  });

  it("makes nothing anew where the object is never read, as when the next command is killed, too", () => {
    const { deployment } = settle(stateWith({ pending_operations: [creating(configMap)] }));
    const [created] = deployment.deployment.resources ?? [];
    const { inputs } = readCheckpoint(created?.outputs as PropertyMap);
    expect(inputs).to.deep.equal(configMap.inputs);
  });

  it("lets an object that was being replaced wait for its deletion", () => {
    const old = { ...configMap, id: "inventory/old" };
    const { deployment } = settle(stateWith({ resources: [old], pending_operations: [creating(configMap)] }));
    expect(deployment.deployment.resources?.map(({ id, delete: gone }) => [id, gone])).to.deep.equal([
      ["inventory/old", true],
      ["inventory/cm", undefined],
    ]);
  });

  it("drops the mark of an object that was deleted first", () => {
    const marked = { ...configMap, id: "inventory/old", pendingReplacement: true };
    const { deployment } = settle(
      stateWith({ resources: [marked], pending_operations: [creating(configMap)] }),
    );
    expect(deployment.deployment.resources?.map(({ id }) => id)).to.deep.equal(["inventory/cm"]);
  });

  it("forgets what exists in the state alone", () => {
    const { deployment, refresh, unknown } = settle(stateWith({ pending_operations: [creating(password)] }));
    expect(deployment.deployment.resources).to.deep.equal([]);
    expect([refresh, unknown]).to.deep.equal([[], []]);
  });

  it("reads again what was being changed or deleted, once", () => {
    const known = { ...configMap, id: "inventory/cm" };
    const operations = ["updating", "deleting"].map((type) => ({ type, resource: known }));
    const { refresh } = settle(stateWith({ resources: [known], pending_operations: operations }));
    expect(refresh).to.deep.equal([configMap.urn]);
  });

  it("names what only its owner can know", () => {
    const patch = { ...configMap, inputs: { ...configMap.inputs, kind: "ConfigMapPatch" } };
    const { unknown } = settle(stateWith({ pending_operations: [creating(repository), creating(patch)] }));
    expect(unknown.map(({ resource }) => resource)).to.deep.equal([repository, patch]);
  });
});

describe("settling an interrupted stack", () => {
  const exported = JSON.stringify(stateWith({ resources: [], pending_operations: [creating(configMap)] }));

  function fakeCli(refreshCode: number): {
    calls: string[];
    run: (args: readonly string[]) => Promise<Captured>;
  } {
    const calls: string[] = [];
    return {
      calls,
      run: async (args) => {
        calls.push(args.join(" "));
        if (args[0] === "refresh") return { code: refreshCode, stdout: "cluster unreachable", stderr: "" };
        return { code: 0, stdout: args[1] === "export" ? exported : "", stderr: "" };
      },
    };
  }

  it("reads only what the killed command had in hand", async () => {
    const { calls, run } = fakeCli(0);
    await settleInterrupted("local", run, { text: "" }, ["--config-file", "y"]);
    expect(calls[0]).to.equal("stack export --stack local");
    expect(calls[1]).to.equal("stack import --stack local");
    expect(calls[2]).to.include(`--config-file y --target ${configMap.urn}`);
  });

  it("leaves the state as it was when that cannot be read", async () => {
    const { run } = fakeCli(255);
    let put = 0;
    const putBack = () => Promise.resolve(void (put += 1));
    const message = await messageOfFailure(() => settleInterrupted("local", run, { text: "", putBack }, []));
    expect(message).to.include("nothing was changed").and.to.include("cluster unreachable");
    expect(put).to.equal(1);
  });

  it("says what to do where a backend takes no state with interrupted operations back", async () => {
    const { run } = fakeCli(255);
    const message = await messageOfFailure(() => settleInterrupted("local", run, { text: "" }, []));
    expect(message)
      .to.include("npm run pulumi -- refresh --stack local")
      .and.to.include("cluster unreachable")
      .and.not.to.include("nothing was changed");
  });
});
