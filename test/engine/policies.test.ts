import { bundlePolicyPack, type PolicyPackBundle } from "../../policy/bundle";
import { areas } from "../../policy/frame/policy";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { everyPolicy } from "../../policy/policies";
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
        allowPrivilegeEscalation: container.escalates ?? false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
    }],
  },
});
`;

/** Something wrong of each area; it is only previewed. */
const EVERY_AREA = `
const pulumi = require("@pulumi/pulumi");
const make = (type, name, props) => new pulumi.CustomResource(type, name, props);
const metadata = { name: "inventory", namespace: "default" };
make("kubernetes:core/v1:Namespace", "namespace", { metadata: { name: "inventory" } });
make("kubernetes:core/v1:Pod", "pod", {
  metadata,
  spec: { containers: [{ name: "app", image: "shop:latest", tty: true, securityContext: { privileged: true } }] },
});
make("kubernetes:core/v1:Service", "service", { metadata, spec: { type: "LoadBalancer" } });
make("kubernetes:core/v1:ConfigMap", "map", { metadata, data: { PASSWORD: "correct-horse" } });
make("kubernetes:core/v1:PersistentVolume", "volume", { metadata: { name: "data" }, spec: { hostPath: { path: "/" } } });
make("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "role", {
  metadata: { name: "all" },
  rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
});
make("kubernetes:argoproj.io/v1alpha1:Rollout", "rollout", { metadata, spec: { strategy: {} } });
make("github:index/repository:Repository", "repository", { name: "shop", visibility: "public" });
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

  it("blocks a preview by what is undecided where the stack demands that", async () => {
    await container({ privileged: false, suffix: ":1.0.0" });
    await workspace.write("policies.json", JSON.stringify({ "undecided-policies": { block: true } }));
    const flags = ["--policy-pack", pack.folder, "--policy-pack-config", "policies.json"];
    const { code, output } = await workspace.run("preview", ...flags);
    expect(code).not.to.equal(0);
    expect(output, output).to.match(/\[mandatory\].*no-mutable-image-tags/);
    expect(output).to.contain("spec.containers[0].image (app) is not known yet");
  });

  it("writes down what it finds, and that the whole stack was looked at unless the program did not end", async () => {
    await container({ privileged: true, suffix: ":1.0.0" });
    const findings = join(workspace.folder, "findings");
    const linesOf = async () => {
      rmSync(findings, { force: true });
      workspace.environment.TECHNOVA_POLICY_FINDINGS = findings;
      const { code } = await workspace.run("preview", "--policy-pack", pack.folder);
      Reflect.deleteProperty(workspace.environment, "TECHNOVA_POLICY_FINDINGS");
      expect(code).not.to.equal(0);
      const lines = (await workspace.read("findings")).trim().split("\n");
      const read = lines.map((line) => JSON.parse(line) as { policy?: string; asked?: string });
      const namesOf = (key: "policy" | "asked") => read.flatMap((line) => line[key] ?? []);
      return { violated: namesOf("policy"), asked: namesOf("asked") };
    };
    const ofStack = everyPolicy.filter((policy) => "checkStack" in policy).map(({ name }) => name);
    const whole = await linesOf();
    expect(whole.violated).to.include("no-privileged-containers");
    expect(whole.asked).to.have.members(ofStack);
    const crashing = PROGRAM.replace("new Pod(", "const pod = new Pod(");
    await workspace.write(
      "index.js",
      `${crashing}\npod.urn.apply(() => { throw new Error("too early to end"); });`,
    );
    const part = await linesOf();
    expect(part.violated).to.include("no-privileged-containers");
    expect(part.asked).to.be.empty;
    await workspace.write("index.js", PROGRAM);
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

  it("lets be what an exception is for, says so, and fails by one that is over", async () => {
    const copy = join(workspace.folder, "policy");
    cpSync(sources, copy, { recursive: true });
    // What the pack shares with the plugins.
    const shared = "tools/plugins/rpc";
    cpSync(join(sources, "..", shared), join(workspace.folder, shared), { recursive: true });
    const exception = {
      policy: "no-privileged-containers",
      stacks: ["test"],
      resource: "Pod shop/web",
      reason: "The vendor's program needs it.",
      owner: "team-shop",
    };
    const previewUntil = (expires: string) => {
      writeFileSync(join(copy, "exceptions.json"), JSON.stringify([{ ...exception, expires }]));
      return workspace.run("preview", "--policy-pack", copy);
    };
    await container({ privileged: true, suffix: ":1.0.0" });
    const inAMonth = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    const used = await previewUntil(inAMonth);
    expect(used.code, used.output).to.equal(0);
    expect(used.output)
      .to.match(/\[advisory\].*exceptions-in-use/)
      .and.to.contain(
        `lets Pod shop/web be; no-privileged-containers, until ${inAMonth}, team-shop: The vendor's`,
      );
    const over = await previewUntil("2026-01-31");
    expect(over.code).not.to.equal(0);
    expect(over.output)
      .to.match(isPrivileged)
      .and.to.match(/\[mandatory\].*whole-exceptions/)
      .and.to.contain("exceptions[0] expires was 2026-01-31: the exception is over");
  });

  it("is stopped by every area", async () => {
    const areaWorkspace = await Workspace.create(EVERY_AREA, ["kubernetes", "github"]);
    try {
      areaWorkspace.environment.PATH = [pack.path, areaWorkspace.environment.PATH].join(delimiter);
      await areaWorkspace.write(
        "policies.json",
        JSON.stringify({ "what-must-stay-is-protected": { required: true } }),
      );
      const flags = ["--policy-pack", pack.folder, "--policy-pack-config", "policies.json"];
      const { code, output } = await areaWorkspace.run("preview", ...flags);
      expect(code).not.to.equal(0);
      const violated = new Set(
        [...output.matchAll(/\[mandatory\] \[severity: \w+\] {2}(\S+)/g)].map(([, name]) => name),
      );
      const found = everyPolicy.filter(({ name }) => violated.has(name)).map(({ area }) => area);
      expect([...new Set(found)], output).to.have.members(Object.keys(areas));
    } finally {
      await areaWorkspace.remove();
    }
  });

  it("mends what is safe to mend where the stack wants that", async () => {
    await container({ privileged: false, suffix: ":1.0.0", escalates: true });
    await workspace.write("policies.json", JSON.stringify({ "no-privilege-escalation": "remediate" }));
    const { code, output } = await up(pack.folder, "--policy-pack-config", "policies.json");
    expect(code, output).to.equal(0);
    expect(output).to.match(/\[remediate\].*no-privilege-escalation/);
    const pod = cluster.get("Pod", "shop", "web") as { spec: { containers: { securityContext: object }[] } };
    expect(pod.spec.containers[0]?.securityContext).to.include({ allowPrivilegeEscalation: false });
    await workspace.succeed("destroy", "--yes");
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
