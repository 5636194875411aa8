import { expect } from "chai";
import { settle, type Deployment } from "../../../../tools/engine/interrupted";
import { text, withField, type KubeObject } from "../../../../tools/plugins/kubernetes/object";
import { Workspace } from "../workspace";
import { FakeCluster } from "./support/fake-cluster";

const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const { ConfigMap, Namespace, Secret } = require("@pulumi/kubernetes/core/v1");
const { Deployment } = require("@pulumi/kubernetes/apps/v1");
const { CustomResourceDefinition } = require("@pulumi/kubernetes/apiextensions/v1");
const { CustomResource } = require("@pulumi/kubernetes/apiextensions");
const config = new pulumi.Config();
const namespace = new Namespace("namespace", { metadata: { name: "app" } });
const metadata = { namespace: namespace.metadata.name };
const settings = new ConfigMap("settings", { metadata, data: { level: config.get("level") || "info" } });
const fixed = new ConfigMap("fixed", { metadata: { ...metadata, name: "fixed" }, data: { level: config.get("level") || "info" } });
const secret = new Secret("secret", { metadata, stringData: { token: config.requireSecret("token") } });
const labels = { app: "web" };
const web = new Deployment("web", {
  metadata: {
    ...metadata,
    name: "web",
    annotations: config.get("timeoutSeconds") && { "pulumi.com/timeoutSeconds": config.get("timeoutSeconds") },
  },
  spec: {
    replicas: config.getNumber("replicas") || 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        hostNetwork: false,
        containers: [{ name: "web", image: "web:1", resources: { requests: { cpu: "0.5" } }, envFrom: [{ configMapRef: { name: settings.metadata.name } }] }],
      },
    },
  },
});
const definition = new CustomResourceDefinition("definition", {
  metadata: { name: "widgets.example.com" },
  spec: { group: "example.com", scope: "Namespaced", names: { kind: "Widget", plural: "widgets" }, versions: [{ name: "v1", served: true, storage: true }] },
});
new CustomResource("widget", { apiVersion: "example.com/v1", kind: "Widget", metadata, spec: { size: 1 } }, { dependsOn: definition });
exports.settings = settings.metadata.name;
exports.token = secret.data;
`;

describe("kubernetes plugin under the real CLI", function () {
  this.timeout("5m");
  this.bail(true);
  let cluster: FakeCluster;
  let workspace: Workspace;
  const up = ["up", "--yes", "--skip-preview"];

  before(async () => {
    cluster = await FakeCluster.start();
    cluster.controller = makeAvailable;
    workspace = await Workspace.create(PROGRAM, ["kubernetes"]);
    await workspace.write("kubeconfig", cluster.kubeconfig);
    workspace.environment.KUBECONFIG = `${workspace.folder}/kubeconfig`;
    await workspace.succeed("config", "set", "--secret", "token", "sentinel-4711");
  });
  after(async () => {
    await workspace?.remove();
    await cluster?.stop();
  });

  it("previews without making anything", async () => {
    expect(await workspace.succeed("preview")).to.match(/\+ 8 to create/);
    expect(cluster.writes()).to.deep.equal([]);
  });

  it("creates once what is killed in the middle, and goes on from there", async () => {
    let stop = true;
    cluster.controller = (object) => (stop && object.kind === "Deployment" ? object : makeAvailable(object));
    const { child, done } = workspace.start(...up);
    await until(() => cluster.get("Deployment", "app", "web") !== undefined);
    child.kill("SIGKILL");
    await done;
    stop = false;
    cluster.put(makeAvailable(cluster.live("Deployment", "app", "web")));

    await workspace.succeed("cancel", "--yes");
    const interrupted = JSON.parse(await workspace.succeed("stack", "export")) as Deployment;
    expect(interrupted.deployment.pending_operations).not.to.deep.equal([]);
    await workspace.write("settled.json", JSON.stringify(settle(interrupted).deployment));
    await workspace.succeed("stack", "import", "--file", "settled.json");
    await workspace.succeed(...up, "--refresh");
    const created = cluster.writes().filter((write) => write.startsWith("POST"));
    expect(created).to.have.lengthOf(new Set(created).size);
    expect([...cluster.objects.keys()].filter((key) => key.includes("/app/"))).to.have.length(5);
  });

  it("changes nothing the second time, and keeps secrets out of the state", async () => {
    const before = cluster.writes().length;
    expect(await workspace.succeed(...up)).to.match(/8 unchanged/);
    expect(cluster.writes()).to.have.length(before);
    const state = JSON.stringify(await workspace.resources());
    const encoded = Buffer.from("sentinel-4711").toString("base64");
    for (const leak of ["sentinel-4711", encoded]) expect(state).not.to.contain(leak);
    expect(JSON.parse(await workspace.output("token"))).to.deep.equal({ token: encoded });
  });

  it("changes in place what can be, and replaces what cannot", async () => {
    const settings = (await workspace.resource("settings")).id?.replace("app/", "") ?? "";
    await workspace.succeed("config", "set-all", "--plaintext", "level=debug", "--plaintext", "replicas=2");
    const preview = await workspace.succeed("preview", "--diff");
    expect(preview).to.match(/replicas *: 1 => 2/);
    expect(preview).to.match(/~ 1 to update[\s\S]*\+-2 to replace/);
    const before = cluster.writes().length;
    await workspace.succeed(...up);
    const writes = cluster.writes().slice(before);
    expect(writes.indexOf("DELETE ConfigMap fixed")).to.be.lessThan(writes.indexOf("POST ConfigMap fixed"));
    expect(writes.at(-1)).to.equal(`DELETE ConfigMap ${settings}`);
    const references = JSON.stringify(cluster.live("Deployment", "app", "web").spec);
    expect(references).to.match(/settings-[0-9a-f]{8}/);
    expect(references).not.to.contain(settings);
  });

  it("shows drift, keeps a Deployment that does not become ready, and finishes it next time", async () => {
    cluster.put(withField(cluster.live("Deployment", "app", "web"), ["spec", "replicas"], 7));
    expect(await workspace.succeed("refresh", "--yes", "--skip-preview")).to.match(/~ 1 updated/);

    cluster.controller = (object) =>
      object.kind === "Deployment" ? withStatus(object, { availableReplicas: 0 }) : object;
    await workspace.succeed("config", "set", "timeoutSeconds", "1");
    const { code, output } = await workspace.run(...up);
    expect(code).not.to.equal(0);
    expect(output).to.contain(
      "Deployment app/web is not ready: not ready after 1 s: 0 of 2 pods are available",
    );
    const kept = await workspace.resource("web");
    expect(kept.outputs).to.have.property("spec").that.includes({ replicas: 2 });

    cluster.controller = makeAvailable;
    expect(await workspace.succeed(...up)).to.match(/~ 1 updated[\s\S]*7 unchanged/);
  });

  it("previews without the cluster, and says what is missing when it applies", async () => {
    const { environment } = workspace;
    const { KUBECONFIG } = environment;
    environment.KUBECONFIG = "/nonexistent";
    await workspace.succeed("config", "set", "replicas", "4");
    expect(await workspace.succeed("preview")).to.match(/~ 1 to update/);
    const { code, output } = await workspace.run(...up);
    expect(code).not.to.equal(0);
    expect(output.replace(/\s+/g, " ")).to.match(
      /there is no kubeconfig\. Point the stack at .*kubernetes:context/,
    );
    environment.KUBECONFIG = KUBECONFIG;
  });

  it("deletes all that it made", async () => {
    await workspace.succeed("destroy", "--yes", "--skip-preview");
    const left = [...cluster.objects.values()].map(
      ({ kind, metadata }) => `${kind} ${text(metadata, "name")}`,
    );
    expect(left).to.deep.equal(["Namespace default", "Namespace kube-system"]);
  });
});

function makeAvailable(object: KubeObject): KubeObject {
  if (object.kind !== "Deployment") return object;
  const replicas = Number((object.spec as { replicas?: number }).replicas ?? 1);
  return withStatus(object, { availableReplicas: replicas });
}

function withStatus(object: KubeObject, status: KubeObject): KubeObject {
  const { generation } = object.metadata as { generation: number };
  const replicas = (object.spec as { replicas?: number }).replicas ?? 1;
  return {
    ...object,
    status: { observedGeneration: generation, replicas, updatedReplicas: replicas, ...status },
  };
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 20));
}
