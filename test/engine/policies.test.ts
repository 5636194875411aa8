import { bundlePolicyPack, type PolicyPackBundle } from "../../policy/bundle";
import { delimiter, resolve } from "node:path";
import { expect } from "chai";
import { FakeCluster } from "../tools/plugins/kubernetes/support/fake-cluster";
import { Workspace } from "../tools/plugins/workspace";

const sources = resolve(__dirname, "../../policy");

/** A pod whose image comes from a resource, and that has what `config get container` says. */
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const { Pod } = require("@pulumi/kubernetes/core/v1");
const { RandomString } = require("@pulumi/random");
const tag = new RandomString("tag", { length: 8 });
const container = new pulumi.Config().requireObject("container");
new Pod("web", {
  metadata: {
    name: "web",
    namespace: "shop",
    annotations: { "pulumi.com/skipAwait": "true" },
    labels: {
      "app.kubernetes.io/name": "web",
      "app.kubernetes.io/part-of": "shop",
      "technova.io/owner": "team-shop",
    },
  },
  spec: {
    priorityClassName: "shop",
    automountServiceAccountToken: false,
    restartPolicy: "Never",
    containers: [{
      name: "app",
      image: tag.result.apply((text) => "registry.example/shop" + (text === "" ? "" : container.suffix)),
      resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } },
      securityContext: {
        privileged: container.privileged,
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
    }],
  },
});
`;

describe("the policy pack under the real engine", function () {
  this.timeout(600_000);
  let cluster: FakeCluster;
  let workspace: Workspace;
  let pack: PolicyPackBundle;
  let salt: string;

  before(async () => {
    [cluster, pack] = await Promise.all([FakeCluster.start(), bundlePolicyPack()]);
    cluster.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    workspace = await Workspace.create(PROGRAM, ["kubernetes", "random"]);
    salt = await workspace.read("Pulumi.test.yaml");
    await workspace.write("kubeconfig", cluster.kubeconfig);
    workspace.environment.KUBECONFIG = `${workspace.folder}/kubeconfig`;
    workspace.environment.PATH = [pack.path, workspace.environment.PATH].join(delimiter);
  });
  after(async () => {
    await workspace?.remove();
    await cluster?.stop();
  });

  /** Written and not set by the CLI, which would take a second each time. */
  const container = (settings: object) =>
    workspace.write(
      "Pulumi.test.yaml",
      `${salt}\nconfig:\n  program:container: ${JSON.stringify(settings)}\n`,
    );
  const up = (folder: string, ...more: string[]) =>
    workspace.run("up", "--yes", "--skip-preview", "--policy-pack", folder, ...more);
  const isUndecided = /\[advisory\].*no-mutable-image-tags/;
  const isPrivileged = /\[mandatory\].*no-privileged-containers {2}\(kubernetes:core\/v1:Pod: web\)/;

  it("says by name which policy is undecided on what, and lets the preview go on", async () => {
    await container({ privileged: false, suffix: ":latest" });
    const { code, output } = await workspace.run("preview", "--policy-pack", pack.folder);
    expect(code, output).to.equal(0);
    expect(output).to.match(isUndecided);
    expect(output).to.contain("spec.containers[0].image (app) is not known yet");
    expect(output).to.contain(
      "Resource: Pod shop/web (urn:pulumi:test::program::kubernetes:core/v1:Pod::web)",
    );
  });

  it("decides what is known although something else of the resource is not", async () => {
    await container({ privileged: true, suffix: ":1.0.0" });
    const { code, output } = await workspace.run("preview", "--policy-pack", pack.folder);
    expect(code).not.to.equal(0);
    expect(output).to.match(isUndecided).and.to.match(isPrivileged);
  });

  it("decides during the update, before the resource is created", async () => {
    await container({ privileged: false, suffix: ":latest" });
    const { code, output } = await up(pack.folder);
    expect(code).not.to.equal(0);
    expect(output).to.match(/\[mandatory\].*no-mutable-image-tags/);
    expect(output).to.contain('spec.containers[0].image (app) is "registry.example/shop:latest"');
    const types = (await workspace.resources()).map(({ type }) => type);
    expect(types)
      .to.include("random:index/randomString:RandomString")
      .and.not.to.include("kubernetes:core/v1:Pod");
    expect(cluster.writes()).to.deep.equal([]);
  });

  it("runs from its sources through the language host too, as the official one does", async () => {
    await container({ privileged: true, suffix: ":1.0.0" });
    const { code, output } = await up(sources);
    expect(code).not.to.equal(0);
    expect(output).to.match(isPrivileged);
    expect(cluster.writes()).to.deep.equal([]);
  });

  it("is enforced as the stack's configuration says, and refuses settings that do not exist", async () => {
    const configured = async (config: object) => {
      await workspace.write("policies.json", JSON.stringify(config));
      return workspace.run("preview", "--policy-pack", pack.folder, "--policy-pack-config", "policies.json");
    };
    await container({ privileged: true, suffix: ":1.0.0" });
    const advisory = await configured({ "no-privileged-containers": "advisory" });
    expect(advisory.code, advisory.output).to.equal(0);
    expect(advisory.output).to.match(/\[advisory\].*no-privileged-containers/);
    const mistyped = await configured({ "no-mutable-image-tags": { mutableTag: ["latest"] } });
    expect(mistyped.code).not.to.equal(0);
    expect(mistyped.output).to.contain('policy "no-mutable-image-tags" has no setting mutableTag');
    const wrong = await configured({ "no-mutable-image-tags": { mutableTags: "latest" } });
    expect(wrong.code).not.to.equal(0);
    expect(wrong.output).to.contain("mutableTags");
  });

  it("applies what violates nothing", async () => {
    await container({ privileged: false, suffix: ":1.0.0" });
    const { code, output } = await up(pack.folder);
    expect(output).not.to.contain("[mandatory]");
    expect(code, output).to.equal(0);
    expect(cluster.get("Pod", "shop", "web")).not.to.equal(undefined);
  });

  it("stops an update that would delete more than it may, once it is told what there was before", async () => {
    await workspace.write("index.js", "");
    await workspace.write("policies.json", JSON.stringify({ "maximum-deletes": { maximum: 0 } }));
    const preview = () =>
      workspace.run("preview", "--policy-pack", pack.folder, "--policy-pack-config", "policies.json");
    const untold = await preview();
    expect(untold.code, untold.output).to.equal(0);
    expect(untold.output)
      .to.match(/\[advisory\].*maximum-deletes/)
      .and.to.contain("TECHNOVA_STATE_BEFORE names no file");
    workspace.environment.TECHNOVA_STATE_BEFORE = `${workspace.folder}/state/.pulumi/stacks/program/test.json`;
    const told = await preview();
    expect(told.code).not.to.equal(0);
    expect(told.output)
      .to.match(/\[mandatory\].*maximum-deletes/)
      .and.to.contain("would lose 1, may lose at most 0: kubernetes:core/v1:Pod web");
  });
});
