import { expect } from "chai";
import { Registry } from "../../../components/registry";
import { ApplicationImage } from "../../../components/registry/image";
import { at, settingsWith, types } from "../../support/components";
import { register, valueOf } from "../../support/mocks";
import { sentinel } from "../../support/settings";

describe("the registry", () => {
  it("gives Pods a Secret to pull with, and shows its password to nobody", async () => {
    const { registry: settings, secrets } = await settingsWith();
    const { one, result } = await register(
      () =>
        new Registry("registry", { settings, password: secrets.registryPassword, namespace: "inventory" }),
    );
    const secret = one(types.secret, "registry-pull");
    expect(secret.inputs.stringData).to.equal("[secret]");
    expect(JSON.parse(String(at(secret.plain, "stringData", ".dockerconfigjson")))).to.deep.equal({
      auths: {
        "ghcr.io": {
          username: "puller",
          password: sentinel,
          auth: Buffer.from(`puller:${sentinel}`).toString("base64"),
        },
      },
    });
    // A version that comes back after the password has changed can still be pulled.
    expect(await Promise.all(result.pullSecrets.map(valueOf))).to.deep.equal(["registry-pull"]);
  });

  it("needs no Secret without credentials", async () => {
    const { resources, result } = await register(
      () => new Registry("registry", { settings: { server: "localhost:5050" }, namespace: "inventory" }),
    );
    expect(resources.map(({ type }) => type)).to.deep.equal(["technova:registry:Registry"]);
    expect(result.pullSecrets).to.deep.equal([]);
  });
});

describe("the application's image", () => {
  it("is built on the mirrored base image, pushed, and named by the digest that the registry gave", async () => {
    const { one, result } = await register(
      () =>
        new ApplicationImage("inventory-image", {
          settings: { build: { repository: "technova/inventory", context: "app", offline: true } },
          version: "1.2.0",
          registry: { server: "localhost:5050" },
          images: { mirror: "localhost:5050" },
        }),
    );
    const { inputs } = one(types.image, "inventory-image-build");
    expect(inputs.imageName).to.equal("localhost:5050/technova/inventory:1.2.0");
    expect(at(inputs, "build", "args")).to.deep.equal({
      APP_VERSION: "1.2.0",
      BASE_IMAGE: "localhost:5050/docker.io/library/python:3.11-slim-bookworm",
      PIP_NO_INDEX: "1",
    });
    expect(await valueOf(result.reference)).to.match(/^localhost:5050\/built@sha256:[0-9a-f]{64}$/);
  });

  it("is taken by digest where it is released already", async () => {
    const digest = `sha256:${"34".repeat(32)}`;
    const { resources, result } = await register(
      () =>
        new ApplicationImage("inventory-image", {
          settings: { repository: "technova/inventory", digest },
          version: "1.2.0",
          registry: { server: "ghcr.io" },
          images: {},
        }),
    );
    expect(resources).to.have.length(1);
    expect(await valueOf(result.reference)).to.equal(`ghcr.io/technova/inventory@${digest}`);
  });
});
