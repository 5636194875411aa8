import { expect } from "chai";
import {
  lastApplied,
  markSecrets,
  readCheckpoint,
  redactor,
  toObject,
  writeCheckpoint,
} from "../../../../tools/plugins/kubernetes/checkpoint";
import { containsSecret, Secret } from "../../../../tools/plugins/rpc/values";

describe("checkpoint", () => {
  it("holds the live object, the inputs, the first version and the manager, and gives them back", () => {
    const inputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { a: "1" } };
    const live = { ...inputs, metadata: { name: "c", uid: "u" } };
    const state = writeCheckpoint({
      inputs,
      live,
      origin: inputs,
      initialApiVersion: "v1",
      fieldManager: "m",
    });
    expect(state).to.deep.equal({
      ...live,
      __inputs: inputs,
      __initialApiVersion: "v1",
      __fieldManager: "m",
    });
    expect(readCheckpoint(state)).to.deep.equal({ inputs, live });
  });

  it("hides the data of a Secret, whether the program called it secret or not", () => {
    const inputs = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { password: "cHc=" } };
    const state = writeCheckpoint({
      inputs,
      live: inputs,
      origin: inputs,
      initialApiVersion: "v1",
      fieldManager: "m",
    });
    expect(state.data).to.deep.equal(new Secret({ password: "cHc=" }));
    expect(state.__inputs).to.deep.equal({ ...inputs, data: new Secret({ password: "cHc=" }) });
    expect(readCheckpoint(state).inputs).to.deep.equal(inputs);
  });

  it("hides the copy of a Secret that kubectl leaves in an annotation", () => {
    const inputs = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { password: "cHc=" } };
    const annotations = { team: "a", [lastApplied]: JSON.stringify(inputs) };
    const live = { ...inputs, metadata: { name: "s", annotations } };
    const state = writeCheckpoint({
      inputs,
      live,
      origin: inputs,
      initialApiVersion: "v1",
      fieldManager: "m",
    });
    expect(state.metadata).to.deep.equal({
      name: "s",
      annotations: { team: "a", [lastApplied]: new Secret(JSON.stringify(inputs)) },
    });
    expect(readCheckpoint(state).live).to.deep.equal(live);
  });

  it("keeps secret inputs secret without hiding what is around them", () => {
    const origin = { spec: { password: new Secret("x"), list: ["a", new Secret("b")], plain: "p" } };
    const marked = markSecrets({ spec: { password: "x", list: ["a", "b"], plain: "p", more: 1 } }, origin);
    expect(marked).to.deep.equal({
      spec: { password: new Secret("x"), list: new Secret(["a", "b"]), plain: "p", more: 1 },
    });
    expect(
      containsSecret(markSecrets({ a: { kind: "Secret", key: "k" } }, { a: { key: new Secret("k") } })),
    ).to.equal(true);
  });

  it("spells x-kubernetes fields as programs do, and back", () => {
    const live = { spec: { "x-kubernetes-preserve-unknown-fields": true, "x-other": 1 } };
    const state = writeCheckpoint({
      inputs: live,
      live,
      origin: {},
      initialApiVersion: "v1",
      fieldManager: "m",
    });
    expect(state.spec).to.deep.equal({ x_kubernetes_preserve_unknown_fields: true, "x-other": 1 });
    expect(toObject({ spec: state.spec ?? null })).to.deep.equal(live);
  });

  it("takes secrets out of messages, plain and in base64", () => {
    const redact = redactor({
      kind: "Secret",
      stringData: { a: "hunter2" },
      note: new Secret("tell nobody"),
      x: "open",
    });
    const encoded = Buffer.from("hunter2").toString("base64");
    expect(redact(`hunter2 ${encoded} "tell nobody" open`)).to.equal('[secret] [secret] "[secret]" open');
  });
});
