import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { check, type CheckOptions } from "../../../tools/policy/check";
import { exitCodeOf, render } from "../../../tools/policy/render";
import { type FileResource, resourcesOfState } from "../../../tools/policy/files";
import { judgeResource } from "../../../policy/frame/evaluate";
import type { Policy } from "../../../policy/frame/policy";
import { whatMustStayIsProtected } from "../../../policy/stack";
import { changed, goodPod, holding } from "../../support/policy";

const root = join(__dirname, "../../..");
const privileged = ["spec", "containers", 0, "securityContext", "privileged"];

describe("npm run policy -- check", () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "policy-check-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  const manifest = (apiVersion: string, kind: string, body: object) => ({ apiVersion, kind, ...body });
  const deployment = (pod: object) => manifest("apps/v1", "Deployment", holding("Deployment", pod));
  const judged = (paths: string[], options: Partial<CheckOptions> = { area: "pod-security" }) =>
    check(root, paths, { today: "2026-11-25", ...options });

  it("judges every document of a file, and says where", () => {
    const bad = deployment(changed(goodPod(), privileged, true));
    const file = write("all.yaml", [deployment(goodPod()), bad].map((each) => stringify(each)).join("---\n"));
    const checked = judged([file]);
    expect(checked.objects).to.equal(2);
    expect(checked.findings).to.have.length(1);
    expect(checked.findings[0]).to.deep.include({
      file,
      kind: "Deployment",
      namespace: "inventory",
      name: "inventory",
      policy: "no-privileged-containers",
      severity: "critical",
      status: "violation",
      path: "spec.template.spec.containers[0].securityContext.privileged",
      message: "is true, must be false or absent",
    });
    const lines = stringify(bad).split("\n");
    const within = lines.findIndex((line) => line.includes("privileged: true"));
    expect(checked.findings[0]?.line).to.equal(
      stringify(deployment(goodPod())).split("\n").length + 1 + within,
    );
    expect(exitCodeOf(checked)).to.equal(1);
    const text = render(checked);
    for (const part of [
      "[critical] no-privileged-containers",
      "Deployment inventory/inventory",
      "Why: ",
      "Remedy:",
      "See: https",
    ]) {
      expect(text).to.contain(part);
    }
    expect(text).to.match(/1 finding in 2 objects, 18 policies\n$/);
  });

  it("looks into lists and into all files of a folder, and names what is no object", () => {
    const bad = changed(goodPod(), privileged, true);
    write(
      "a/list.yml",
      stringify(manifest("v1", "List", { items: [manifest("v1", "Pod", bad), deployment(bad)] })),
    );
    write(
      "a/b/typed.json",
      JSON.stringify(manifest("apps/v1", "DeploymentList", { items: [holding("Deployment", bad)] })),
    );
    write("values.yaml", "replicas: 3\n");
    write("notes.txt", "not: [yaml");
    const checked = judged([folder]);
    expect(checked.findings.map(({ kind }) => kind)).to.have.members(["Pod", "Deployment", "Deployment"]);
    expect(checked.skipped).to.deep.equal([join(folder, "values.yaml")]);
    expect(checked.unreadable).to.be.empty;
  });

  it("takes the Pod Security Standards of a level alone", () => {
    const pod = { metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "web" }] } };
    const file = write("pod.yaml", stringify(manifest("v1", "Pod", pod)));
    expect(exitCodeOf(judged([file], { profile: "baseline" }))).to.equal(0);
    const restricted = judged([file], { profile: "restricted" });
    expect(restricted.findings.map(({ policy }) => policy)).to.include.members([
      "no-root-containers",
      "seccomp-profile",
    ]);
    expect(restricted.findings.every(({ area }) => area === "pod-security")).to.be.true;
    const everything = judged([file], {});
    expect(everything.findings.map(({ policy }) => policy)).to.include("no-mutable-image-tags");
  });

  for (const [what, name, text] of [
    ["broken YAML", "broken.yaml", "kind: [Pod"],
    ["a file that is no object", "values.yaml", "replicas: 3"],
    ["an empty file", "empty.yaml", ""],
  ] as const) {
    it(`ends with 2 for ${what}, however good the rest is`, () => {
      const good = write("good.yaml", stringify(deployment(goodPod())));
      const checked = judged([good, write(name, text)]);
      expect(checked.unreadable).to.have.length(1);
      expect(checked.unreadable[0]).to.contain(join(folder, name));
      expect(exitCodeOf(checked)).to.equal(2);
    });
  }

  it("ends with 2 for a document that is no object beside others that are, says where, and judges these", () => {
    const bad = stringify(deployment(changed(goodPod(), privileged, true)));
    for (const [stray, key] of [
      ["apiVersion: v1\nKind: Pod\n", "kind"],
      ["apiversion: v1\nkind: Pod\n", "apiVersion"],
      ['apiVersion: v1\nkind: ""\n', "kind"],
      ["replicas: 3\n", "apiVersion and kind"],
      ["some text\n", "apiVersion and kind"],
    ] as const) {
      const file = write("all.yaml", [bad, "", "# nothing\n", stray].join("---\n"));
      const checked = judged([file]);
      expect(checked.findings.map(({ policy }) => policy)).to.deep.equal(["no-privileged-containers"]);
      const place = bad.split("\n").length + 4;
      expect(checked.unreadable, stray).to.deep.equal([
        `${file}:${place}: document 4 is no Kubernetes object: set ${key}, or move it to a file of its own`,
      ]);
      expect(exitCodeOf(checked)).to.equal(2);
    }
  });

  it("ends with 2 for an item of a list that is no object", () => {
    const items = [manifest("v1", "Pod", goodPod()), { metadata: { name: "web" } }, null];
    const file = write("list.yaml", stringify(manifest("v1", "List", { items })));
    const { unreadable } = judged([file]);
    expect(unreadable).to.have.length(2);
    expect(unreadable[0]).to.match(/:\d+: document 1 has an item that is no Kubernetes object: set kind, or/);
    const typed = write("pods.yaml", stringify(manifest("v1", "PodList", { items: [goodPod()] })));
    expect(judged([typed]).unreadable).to.be.empty;
  });

  it("ends with 2 for what is not there, and for a folder without anything", () => {
    expect(judged([join(folder, "gone.yaml")]).unreadable[0]).to.contain("gone.yaml: does not exist");
    expect(judged([folder]).unreadable[0]).to.contain("holds no .yaml");
  });

  it("judges an exported state, in which a secret is unknown and what is on its way out does not count", () => {
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      ciphertext: "v1:x",
    };
    const of = (name: string, inputs: object, more: object = {}) => ({
      type: "kubernetes:core/v1:Pod",
      urn: `urn:pulumi:staging::technova::kubernetes:core/v1:Pod::${name}`,
      inputs,
      ...more,
    });
    const bad = changed(goodPod(), privileged, true);
    const resources = [
      of("bad", bad),
      of("going", bad, { delete: true }),
      of("hidden", changed(goodPod(), privileged, secret)),
      {
        type: "pulumi:pulumi:Stack",
        urn: "urn:pulumi:staging::technova::pulumi:pulumi:Stack::technova-staging",
      },
    ];
    for (const state of [
      { version: 3, deployment: { resources } },
      { version: 3, checkpoint: { latest: { resources } } },
    ]) {
      const checked = judged([write("state.json", JSON.stringify(state))]);
      expect(checked.findings.map(({ urn, status }) => [urn.split("::").at(-1), status])).to.deep.equal([
        ["bad", "violation"],
        ["hidden", "undecided"],
      ]);
      expect(exitCodeOf(checked)).to.equal(1);
    }
  });

  it("knows what of an exported state the engine keeps from being deleted", () => {
    const claim = (name: string, more: object = {}) => ({
      type: "kubernetes:core/v1:PersistentVolumeClaim",
      urn: `urn:pulumi:staging::technova::kubernetes:core/v1:PersistentVolumeClaim::${name}`,
      inputs: { metadata: { name } },
      ...more,
    });
    const resources = [claim("kept", { protect: true }), claim("left")];
    const [kept, left] = resourcesOfState("state.json", { version: 3, deployment: { resources } });
    const violated = (resource: FileResource | undefined) =>
      judgeResource(whatMustStayIsProtected as Policy, resource as FileResource, { required: true })
        .violations;
    expect(violated(kept)).to.be.empty;
    expect(violated(left)).to.have.length(1);
  });

  it("takes the settings of a stack, and refuses one that has none", () => {
    const service = { metadata: { name: "gateway", namespace: "gateway" }, spec: { type: "LoadBalancer" } };
    const file = write("service.yaml", stringify(manifest("v1", "Service", service)));
    const policiesOf = (stack: string) =>
      judged([file], { stack, area: "network" }).findings.map(({ policy }) => policy);
    expect(policiesOf("staging")).to.include("no-load-balancer-services");
    expect(policiesOf("production")).not.to.include("no-load-balancer-services");
    expect(() => policiesOf("nowhere")).to.throw('no policies configured for a stack "nowhere"');
  });

  it("never shows a secret", () => {
    const pod = changed(goodPod(), ["spec", "containers", 0, "env", 0], {
      name: "PASSWORD",
      value: "correct-horse",
    });
    const checked = judged([write("pod.yaml", stringify(manifest("v1", "Pod", pod)))], {});
    expect(checked.findings.map(({ policy }) => policy)).to.include("no-plain-secrets-in-env");
    expect(render(checked) + JSON.stringify(checked.findings)).not.to.contain("correct-horse");
  });
});
