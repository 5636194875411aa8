import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import {
  hasInterrupted,
  settle,
  settleInterrupted,
  type Deployment,
  type RunCli,
} from "../../../tools/engine/interrupted";
import type { Captured } from "../../../tools/engine/processes";
import { messageOf } from "../../../tools/engine/report";
import { Unread } from "../../../tools/engine/unread";
import { readCheckpoint } from "../../../tools/plugins/kubernetes/checkpoint";
import type { PropertyMap } from "../../../tools/plugins/rpc/values";
import { temporaryFolder } from "./support";

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
  const interrupted = stateWith({ resources: [], pending_operations: [creating(configMap)] });
  const created = { ...configMap, id: "inventory/cm" };
  let root: string;
  let unread: Unread;

  beforeEach(() => {
    root = temporaryFolder();
    unread = new Unread(root, "s3://bucket", "local");
  });

  /** @param refresh what reading the resources comes to */
  function fakeCli(refresh: Partial<Captured> | Error, state: Deployment = interrupted) {
    const calls: string[] = [];
    const run = (args: readonly string[]): Promise<Captured> => {
      calls.push(args.join(" "));
      const done = { code: 0, stdout: args[1] === "export" ? JSON.stringify(state) : "", stderr: "" };
      if (args[0] !== "refresh") return Promise.resolve(done);
      return refresh instanceof Error ? Promise.reject(refresh) : Promise.resolve({ ...done, ...refresh });
    };
    return { calls, run };
  }
  const unreachable = { code: 255, stdout: "cluster unreachable" };

  /** Settles; the message of what came in between, and how often the state was put back. */
  async function settled(run: RunCli, putBack = true): Promise<{ told?: string; put: number }> {
    let put = 0;
    const stored = { text: "", ...(putBack && { putBack: () => Promise.resolve(void (put += 1)) }) };
    try {
      await settleInterrupted("local", run, stored, ["--config-file", "y"], unread);
      return { put };
    } catch (error) {
      return { told: messageOf(error), put };
    }
  }

  it("reads only what the killed command had in hand", async () => {
    const { calls, run } = fakeCli({});
    expect(await settled(run)).to.deep.equal({ put: 0 });
    expect(calls[0]).to.equal("stack export --stack local");
    expect(calls[1]).to.equal("stack import --stack local");
    expect(calls[2]).to.include(`--config-file y --target ${configMap.urn}`);
    expect(unread.urns).to.deep.equal([]);
  });

  it("leaves the state as it was when that cannot be read", async () => {
    const { told, put } = await settled(fakeCli(unreachable).run);
    expect(told).to.include("nothing was changed").and.to.include("cluster unreachable");
    expect(put).to.equal(1);
    expect(unread.urns).to.deep.equal([]);
  });

  it("says what to do where a backend takes no state with interrupted operations back", async () => {
    const { told } = await settled(fakeCli(unreachable).run, false);
    expect(told)
      .to.include("npm run pulumi -- refresh --stack local")
      .and.to.include("cluster unreachable")
      .and.not.to.include("nothing was changed");
    expect(unread.urns).to.deep.equal([configMap.urn]);
  });

  it("writes over nothing while somebody else goes on from what was entered", async () => {
    const locked = { code: 255, stderr: "error: the stack is currently locked by 1 lock(s)." };
    const { told, put } = await settled(fakeCli(locked).run);
    expect(told).to.include("currently locked").and.not.to.include("nothing was changed");
    expect(put).to.equal(0);
    expect(unread.urns).to.deep.equal([configMap.urn]);
  });

  it("that is killed in between is gone on with by the next one, which enters nothing", async () => {
    await settled(fakeCli(new Error("killed")).run);
    expect(unread.urns).to.deep.equal([configMap.urn]);
    const path = join(root, ".pulumi-state/settling-local.json");
    expect(statSync(path).mode & 0o777).to.equal(0o600);

    const { calls, run } = fakeCli({}, stateWith({ resources: [created] }));
    await settled(run);
    expect(calls).to.have.length(2);
    expect(calls[1])
      .to.match(/^refresh /)
      .and.to.include(`--target ${configMap.urn}`);
    expect(existsSync(path)).to.equal(false);
  });

  it("keeps in mind what an earlier one has left while it cannot be read", async () => {
    unread.remember([configMap.urn]);
    const left = await settled(fakeCli(unreachable, stateWith({ resources: [created] })).run);
    expect(left.put, "nothing was entered that would have to be taken back").to.equal(0);
    expect(unread.urns).to.deep.equal([configMap.urn]);
    const both = stateWith({ resources: [created], pending_operations: [creating(namespace)] });
    const { calls, run } = fakeCli(unreachable, both);
    expect((await settled(run)).put).to.equal(1);
    expect(calls[2]).to.include(`--target ${configMap.urn} --target ${namespace.urn}`);
    expect(unread.urns, "the others are as they were").to.deep.equal([configMap.urn]);
  });

  it("reads nothing that is no longer in the state", async () => {
    unread.remember([namespace.urn]);
    const { calls, run } = fakeCli({}, stateWith({ resources: [created] }));
    await settled(run);
    expect(calls).to.deep.equal(["stack export --stack local"]);
    expect(unread.urns).to.deep.equal([]);
  });

  it("has nothing to do with a stack of the same name in another backend", async () => {
    const other = new Unread(root, "https://api.example.com", "local");
    other.remember([namespace.urn]);
    await settled(fakeCli(new Error("killed")).run);
    expect(new Unread(root, "s3://bucket", "local").urns).to.deep.equal([configMap.urn]);
    expect(new Unread(root, "s3://bucket", "acme/local").urns).to.deep.equal([]);
    await settled(fakeCli({}).run);
    expect(unread.urns).to.deep.equal([]);
    expect(other.urns).to.deep.equal([namespace.urn]);
  });
});
