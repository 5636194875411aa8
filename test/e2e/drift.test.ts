import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Platform } from "./delivery/platform";
import { checkout, npm, npmOk } from "./support/command";
import { kubectl } from "./support/cluster";
import { call, gatewayOf } from "./support/gateway";

interface Found {
  readonly kind: string;
  readonly name: string;
  readonly change: string;
  readonly what: string;
  readonly who?: string;
}

/** Everything that people do to a cluster by hand: found, put right, and none left. */
describe("drift", function () {
  this.timeout("30m");
  this.bail(true);

  let found: Found[] = [];

  before(async () => {
    await npmOk("cluster", "up");
    await npmOk("up", "--stack", "local", "--yes", "--skip-preview");
  });
  after(() => Platform.takeDown());

  async function drift(
    ...flags: string[]
  ): Promise<{ code: number | null; found: Found[]; seconds: number }> {
    const { code, stdout, output } = await npm("drift", "--stack", "local", "--json", ...flags);
    expect(code, output).to.be.oneOf([0, 1]);
    const answer = JSON.parse(stdout) as {
      drift: Found[];
      seconds: number;
    };
    return { code, found: answer.drift, seconds: answer.seconds };
  }

  /** The one object of a kind whose name begins so; names end with digits that only the state knows. */
  async function named(kind: string, namespace: string, beginning: string): Promise<string> {
    const names = (await kubectl("get", kind, "-n", namespace, "-o", "name")).split("\n");
    const name = names.map((each) => each.split("/")[1] ?? "").find((each) => each.startsWith(beginning));
    if (name === undefined) throw new Error(`there is no ${kind} ${beginning}… in ${namespace}`);
    return name;
  }

  const patch = (kind: string, namespace: string, name: string, type: string, change: unknown) =>
    kubectl("patch", kind, name, "-n", namespace, "--type", type, "-p", JSON.stringify(change));

  const image = "localhost:5050/registry.k8s.io/metrics-server/metrics-server:by-hand";

  /** By what has to be found. */
  const disturbances: [finding: RegExp, disturb: () => Promise<unknown>][] = [
    [
      /^PodDisruptionBudget inventory-budget-\w+ missing was deleted/,
      async () =>
        kubectl("delete", "pdb", "-n", "inventory", await named("pdb", "inventory", "inventory-budget")),
    ],
    [
      /^NetworkPolicy delivery-default-deny-\w+ missing was deleted/,
      async () =>
        kubectl(
          "delete",
          "networkpolicy",
          "-n",
          "delivery",
          await named("networkpolicy", "delivery", "delivery-default-deny"),
        ),
    ],
    [
      /^NetworkPolicy gateway-default-deny-\w+ removed spec\.policyTypes\[1\] is gone/,
      async () =>
        patch(
          "networkpolicy",
          "gateway",
          await named("networkpolicy", "gateway", "gateway-default-deny"),
          "merge",
          {
            spec: { policyTypes: ["Ingress"] },
          },
        ),
    ],
    [
      /^ResourceQuota gateway-quota-\w+ changed spec\.hard\.pods is "99", not "20"/,
      async () =>
        patch("resourcequota", "gateway", await named("resourcequota", "gateway", "gateway-quota"), "merge", {
          spec: { hard: { pods: "99" } },
        }),
    ],
    [
      /^Deployment argo-rollouts added metadata\.annotations.* was added/,
      () => kubectl("annotate", "deployment", "argo-rollouts", "-n", "delivery", "by-hand=yes"),
    ],
    [
      /^Deployment traefik-deployment-\w+ changed spec\.replicas is 2, not 1 kubectl/,
      async () =>
        kubectl(
          "scale",
          "deployment",
          "-n",
          "gateway",
          "--replicas=2",
          await named("deployment", "gateway", "traefik-"),
        ),
    ],
    [
      /^Secret gateway-tls-\w+ changed data\["tls\.crt"\] has another value/,
      async () =>
        patch("secret", "gateway", await named("secret", "gateway", "gateway-tls"), "merge", {
          stringData: { "tls.crt": "sentinel-by-hand" },
        }),
    ],
    [
      /^LimitRange gateway-limits-\w+ removed metadata\.labels\["technova\.io\/owner"\] is gone/,
      async () =>
        kubectl(
          "label",
          "limitrange",
          "-n",
          "gateway",
          await named("limitrange", "gateway", "gateway-limits"),
          "technova.io/owner-",
        ),
    ],
    [
      /^ConfigMap by-hand extra is not in the stack kubectl-create/,
      () => kubectl("create", "configmap", "by-hand", "-n", "inventory", "--from-literal=by=hand"),
    ],
    [
      /^RoleBinding prometheus-inventory-binding-\w+ added subjects\[1\] was added kubectl-patch/,
      async () =>
        patch(
          "rolebinding",
          "inventory",
          await named("rolebinding", "inventory", "prometheus-inventory-binding"),
          "json",
          [
            {
              op: "add",
              path: "/subjects/-",
              value: { kind: "Group", name: "everybody", apiGroup: "rbac.authorization.k8s.io" },
            },
          ],
        ),
    ],
    [
      /^Deployment metrics-server changed spec\.template\.spec\.containers\[0\]\.image is ".*:by-hand"/,
      () =>
        kubectl("set", "image", "deployment/metrics-server", "-n", "kube-system", `metrics-server=${image}`),
    ],
    [
      /^CustomResourceDefinition experiments\.argoproj\.io (changed|removed|added) spec\.names\.shortNames/,
      () =>
        kubectl(
          "patch",
          "crd",
          "experiments.argoproj.io",
          "--type",
          "merge",
          "-p",
          '{"spec":{"names":{"shortNames":["by-hand"]}}}',
        ),
    ],
    [
      /^ValidatingAdmissionPolicy technova-pods changed spec\.failurePolicy is "Ignore", not "Fail"/,
      () =>
        kubectl(
          "patch",
          "validatingadmissionpolicy",
          "technova-pods",
          "--type",
          "merge",
          "-p",
          '{"spec":{"failurePolicy":"Ignore"}}',
        ),
    ],
    [
      // Both are elements of a set, so that the one is gone and the other was added.
      /^ValidatingAdmissionPolicyBinding technova-images (removed|added) spec\.validationActions\[0\]/,
      () =>
        kubectl(
          "patch",
          "validatingadmissionpolicybinding",
          "technova-images",
          "--type",
          "merge",
          "-p",
          '{"spec":{"validationActions":["Audit"]}}',
        ),
    ],
    [
      /^Namespace gateway changed metadata\.labels\["pod-security\.kubernetes\.io\/enforce"\] is "privileged"/,
      () =>
        kubectl(
          "label",
          "namespace",
          "gateway",
          "--overwrite",
          "pod-security.kubernetes.io/enforce=privileged",
        ),
    ],
    [
      /^ConfigMap inventory-config-\w+ replaced was deleted and made anew kubectl-create/,
      async () => {
        const name = await named("configmap", "inventory", "inventory-config-");
        await kubectl("delete", "configmap", "-n", "inventory", name);
        await kubectl(
          "create",
          "configmap",
          "-n",
          "inventory",
          name,
          "--from-literal=INVENTORY_LOG_LEVEL=DEBUG",
        );
        await patch("configmap", "inventory", name, "merge", { immutable: true });
      },
    ],
    [
      /^ConfigMap monitoring-dashboard-releases pending creating/,
      () => Promise.resolve(interrupt("monitoring-dashboard-releases")),
    ],
  ];

  /** Leaves the state as a command does that is killed while it creates a resource. */
  function interrupt(name: string): void {
    const path = join(checkout, ".pulumi-state/.pulumi/stacks/technova/local.json");
    const file = JSON.parse(readFileSync(path, "utf8")) as {
      checkpoint: { latest: { resources: { urn: string }[]; pending_operations?: unknown[] } };
    };
    const { latest } = file.checkpoint;
    const resource = latest.resources.find(({ urn }) => urn.endsWith(`::${name}`));
    latest.resources = latest.resources.filter((each) => each !== resource);
    latest.pending_operations = [{ resource, type: "creating" }];
    writeFileSync(path, JSON.stringify(file));
  }

  const told = ({ kind, name, change, what, who = "" }: Found) => `${kind} ${name} ${change} ${what} ${who}`;

  it("finds none in what controllers, autoscalers and releases do, within seconds", async () => {
    const { code, found: none, seconds } = await drift();
    expect(none.map(told)).to.deep.equal([]);
    expect(code).to.equal(0);
    expect(seconds).to.be.below(20);
  });

  it("finds everything that people have done, and shows no secret", async () => {
    for (const [, disturb] of disturbances) await disturb();
    const { code, found: all } = await drift();
    found = all;
    expect(code).to.equal(1);
    expect(JSON.stringify(found)).not.to.contain("sentinel-by-hand");
  });

  for (const [finding] of disturbances) {
    it(`finds ${finding.source}`, () => {
      expect(
        found.map(told).filter((each) => finding.test(each)),
        found.map(told).join("\n"),
      ).not.to.be.empty;
    });
  }

  it("finds nothing else", () => {
    const others = found.map(told).filter((each) => !disturbances.some(([finding]) => finding.test(each)));
    // What was made anew differs in its fields, too.
    expect(others.filter((each) => !/ConfigMap inventory-config-/.test(each))).to.deep.equal([]);
  });

  it("repairs all of it, and the service goes on", async () => {
    const { code, found: left } = await drift("--repair", "--yes", "--remove-added");
    expect(left.map(told)).to.deep.equal([]);
    expect(code).to.equal(0);
    expect((await call(await gatewayOf("local"), "GET", "/healthz")).status).to.equal(200);
  });

  it("changes nothing the second time, and neither does an update", async () => {
    const again = await npmOk("drift", "--stack", "local", "--repair", "--yes", "--remove-added");
    expect(again.stdout).to.match(/^No drift: \d+ objects/);
    const { output } = await npmOk("up", "--stack", "local", "--yes", "--skip-preview");
    expect(/Resources:\s+\d+ unchanged/.test(output), output).to.equal(true);
  });
});
