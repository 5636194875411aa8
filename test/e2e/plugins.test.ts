import { expect } from "chai";
import { clusterEnvironment } from "../../tools/cluster/environment";
import { settle, type Deployment } from "../../tools/engine/interrupted";
import { Workspace } from "../tools/plugins/workspace";
import { npmOk } from "./support/command";
import { kubectl } from "./support/cluster";

const NAMESPACE = "plugins-e2e";
const IMAGE = "localhost:5050/docker.io/library/busybox:1.35.0";

const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const core = require("@pulumi/kubernetes/core/v1");
const apps = require("@pulumi/kubernetes/apps/v1");
const { Job } = require("@pulumi/kubernetes/batch/v1");
const { NetworkPolicy } = require("@pulumi/kubernetes/networking/v1");
const { CustomResourceDefinition } = require("@pulumi/kubernetes/apiextensions/v1");
const { CustomResource } = require("@pulumi/kubernetes/apiextensions");
const config = new pulumi.Config();
const namespace = new core.Namespace("namespace", { metadata: { name: "${NAMESPACE}" } });
const inNamespace = (more) => ({ namespace: namespace.metadata.name, ...more });
const settings = new core.ConfigMap("settings", { metadata: inNamespace(), data: { text: config.get("text") || "one" } });
const secret = new core.Secret("secret", { metadata: inNamespace(), stringData: { token: config.requireSecret("token") } });
const claim = new core.PersistentVolumeClaim("claim", {
  metadata: inNamespace({ name: "claim" }),
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1024Ki" } } },
});
const container = (command, more) => ({
  name: "main",
  image: config.get("image") || "${IMAGE}",
  command: ["sh", "-c", command],
  resources: { requests: { cpu: "0.01", memory: "8Mi" } },
  ...more,
});
const template = (app, spec) => ({
  metadata: { labels: { app } },
  spec: { terminationGracePeriodSeconds: 0, hostNetwork: false, ...spec },
});
const selector = (app) => ({ matchLabels: { app } });
const web = new apps.Deployment("web", {
  metadata: inNamespace({
    name: "web",
    labels: { tier: "front" },
    annotations: { "pulumi.com/patchForce": "true", "pulumi.com/timeoutSeconds": config.get("timeoutSeconds") || "120" },
  }),
  spec: {
    replicas: config.getNumber("replicas") || 1,
    selector: selector("web"),
    template: template("web", {
      containers: [
        container("echo $(cat /settings/text); exec httpd -f -p 8080 -h /settings", {
          env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: secret.metadata.name, key: "token" } } }],
          ports: [{ containerPort: 8080 }],
          readinessProbe: { httpGet: { path: "/text", port: 8080 }, periodSeconds: 1 },
          volumeMounts: [{ name: "settings", mountPath: "/settings" }, { name: "data", mountPath: "/data" }],
        }),
      ],
      volumes: [
        { name: "settings", configMap: { name: settings.metadata.name } },
        { name: "data", persistentVolumeClaim: { claimName: claim.metadata.name } },
      ],
    }),
  },
});
new core.Service("service", { metadata: inNamespace({ name: "web" }), spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] } });
new core.Service("headless", { metadata: inNamespace({ name: "member" }), spec: { clusterIP: "None", selector: { app: "member" }, ports: [{ port: 80 }] } });
new apps.StatefulSet("member", {
  metadata: inNamespace({ name: "member" }),
  spec: { serviceName: "member", replicas: 2, podManagementPolicy: "Parallel", selector: selector("member"), template: template("member", { containers: [container("exec sleep 1000000")] }) },
});
new apps.DaemonSet("agent", {
  metadata: inNamespace({ name: "agent" }),
  spec: { selector: selector("agent"), template: template("agent", { containers: [container("exec sleep 1000000")] }) },
});
new Job("job", {
  metadata: inNamespace({ name: "job" }),
  spec: { backoffLimit: 0, template: { spec: { restartPolicy: "Never", containers: [container("exit " + (config.get("exit") || "0"))] } } },
});
new NetworkPolicy("policy", { metadata: inNamespace({ name: "closed" }), spec: { podSelector: {}, ingress: [], policyTypes: ["Ingress"] } });
const definition = new CustomResourceDefinition("definition", {
  metadata: { name: "widgets.plugins-e2e.example.com" },
  spec: {
    group: "plugins-e2e.example.com",
    scope: "Namespaced",
    names: { kind: "Widget", plural: "widgets" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", x_kubernetes_preserve_unknown_fields: true } } }],
  },
});
new CustomResource("widget", { apiVersion: "plugins-e2e.example.com/v1", kind: "Widget", metadata: inNamespace(), spec: { size: 1, off: false } }, { dependsOn: definition });
if (config.get("import")) {
  new core.ConfigMap("theirs", { metadata: inNamespace({ name: "theirs" }), data: { text: config.get("import") } }, { import: "${NAMESPACE}/theirs" });
}
`;

/** The Kubernetes plugin under the Pulumi CLI against a real API server, controllers and nodes. */
describe("kubernetes plugin on the cluster", function () {
  this.timeout("15m");
  this.bail(true);
  let workspace: Workspace;
  const up = ["up", "--yes", "--skip-preview"];
  const inNamespace = (...args: string[]) => kubectl("-n", NAMESPACE, ...args);

  before(async () => {
    if (!clusterEnvironment().DOCKER_HOST) await npmOk("cluster", "up");
    workspace = await Workspace.create(PROGRAM, ["kubernetes"]);
    Object.assign(workspace.environment, clusterEnvironment());
    await workspace.succeed("config", "set", "kubernetes:context", "technova-local");
    await workspace.succeed("config", "set", "--secret", "token", "sentinel-4711");
  });
  after(async () => {
    await workspace?.run("destroy", "--yes", "--skip-preview");
    await workspace?.remove();
  });

  it("previews against the cluster, with nothing there yet", async () => {
    expect(await workspace.succeed("preview")).to.match(/\+ 14 to create/);
  });

  it("creates what is killed in the middle once, and goes on from there", async () => {
    const { child, done } = workspace.start(...up);
    await until(async () => (await kubectl("get", "deployments", "-A", "-o", "name")).includes("/web\n"));
    child.kill("SIGKILL");
    await done;
    await workspace.succeed("cancel", "--yes");
    const interrupted = JSON.parse(await workspace.succeed("stack", "export")) as Deployment;
    await workspace.write("settled.json", JSON.stringify(settle(interrupted).deployment));
    await workspace.succeed("stack", "import", "--file", "settled.json");
    await workspace.succeed(...up, "--refresh");
    const made = (await inNamespace("get", "configmaps,secrets,widgets", "-o", "name")).trim().split("\n");
    const roles = made.map((name) => name.replace(/-[0-9a-f]{8}$/, ""));
    expect(roles, made.join(", ")).to.have.lengthOf(new Set(roles).size);
  });

  it("has waited for all of it", async () => {
    const json = JSON.parse(
      await inNamespace("get", "deployments,statefulsets,daemonsets,jobs", "-o", "json"),
    ) as {
      items: { kind: string; status: Record<string, number> }[];
    };
    const figures = Object.fromEntries(json.items.map(({ kind, status }) => [kind, status]));
    expect(figures.Deployment).to.include({ availableReplicas: 1 });
    expect(figures.StatefulSet).to.include({ readyReplicas: 2 });
    const { numberAvailable, desiredNumberScheduled } = figures.DaemonSet ?? {};
    expect(numberAvailable).to.equal(desiredNumberScheduled).and.to.be.greaterThan(0);
    expect(figures.Job).to.include({ succeeded: 1 });
  });

  it("changes nothing the second time, and a refresh finds nothing", async () => {
    expect(await workspace.succeed(...up, "--refresh", "--expect-no-changes")).to.match(/14 unchanged/);
    expect(JSON.stringify(await workspace.resources())).not.to.match(/sentinel-4711|c2VudGluZWwtNDcxM/);
  });

  it("changes in place what can be, replaces what cannot, and rolls the pods", async () => {
    const before = await inNamespace("get", "configmaps", "-o", "name");
    await workspace.succeed("config", "set-all", "--plaintext", "text=two", "--plaintext", "replicas=2");
    await workspace.succeed(...up);
    expect(await inNamespace("get", "configmaps", "-o", "name")).not.to.equal(before);
    expect(await inNamespace("logs", "deployment/web")).to.contain("two");
    const managed = await inNamespace("get", "deployment", "web", "-o", "yaml", "--show-managed-fields");
    expect(managed).to.match(/manager: pulumi-kubernetes-[0-9a-f]{8}\n *operation: Apply/);
  });

  it("shows drift, and puts it right", async () => {
    await inNamespace("label", "deployment", "web", "tier=changed", "--overwrite");
    await inNamespace("scale", "deployment", "web", "--replicas=1");
    expect(await workspace.succeed("preview", "--refresh", "--diff")).to.match(/replicas *: 1 => 2/);
    await workspace.succeed(...up, "--refresh");
    const fields = "jsonpath={.spec.replicas} {.metadata.labels.tier}";
    expect(await inNamespace("get", "deployment", "web", "-o", fields)).to.equal("2 front");
  });

  it("takes over an object of others", async () => {
    await inNamespace("create", "configmap", "theirs", "--from-literal=text=theirs");
    await workspace.succeed("config", "set", "import", "theirs");
    expect(await workspace.succeed(...up)).to.match(/= 1 imported/);
    await workspace.succeed("config", "rm", "import");
    await workspace.succeed(...up);
    expect(await inNamespace("get", "configmaps", "-o", "name")).not.to.contain("theirs");
  });

  it("says why a Deployment does not become ready, and keeps it", async () => {
    await workspace.succeed(
      "config",
      "set-all",
      "--plaintext",
      "timeoutSeconds=20",
      "--plaintext",
      "image=localhost:5050/missing:1",
    );
    const { code, output } = await workspace.run(...up, "--target", "**web");
    expect(code).not.to.equal(0);
    expect(output).to.contain(`Deployment ${NAMESPACE}/web is not ready: not ready after 20 s`);
    expect(output).to.match(/pod web-\S+, container main: (ErrImagePull|ImagePullBackOff)/);
    expect(output).to.match(/event Failed of Pod: .*localhost:5050\/missing:1/);
    await workspace.succeed("config", "rm-all", "timeoutSeconds", "image");
    expect(await workspace.succeed(...up)).to.match(/~ 1 updated/);
  });

  it("fails at once with a Job that fails, and replaces it next time", async () => {
    await workspace.succeed("config", "set", "exit", "3");
    const { code, output } = await workspace.run(...up);
    expect(code).not.to.equal(0);
    expect(output).to.match(
      /Job plugins-e2e\/job is not ready: the Job failed: Failed=True \(BackoffLimitExceeded\)/,
    );
    expect(output).to.match(/container main: Error with exit code 3/);
    await workspace.succeed("config", "rm", "exit");
    expect(await workspace.succeed(...up)).to.match(/\+-1 replaced/);
  });

  it("deletes all that it made, and waits until it is gone", async () => {
    await workspace.succeed("destroy", "--yes", "--skip-preview");
    expect(await kubectl("get", "namespaces", "-o", "name")).not.to.contain(NAMESPACE);
    expect(await kubectl("get", "customresourcedefinitions", "-o", "name")).not.to.contain("plugins-e2e");
    expect(await kubectl("get", "persistentvolumes", "-o", "json")).not.to.contain(
      `"namespace": "${NAMESPACE}"`,
    );
  });
});

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 200));
}
