import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { settle, type Deployment } from "../../tools/engine/interrupted";
import { Cluster } from "../../tools/drift/cluster";
import { findDrift } from "../../tools/drift/find";
import { isAddition, objectOf, type Finding } from "../../tools/drift/finding";
import { putBack, takeAwayAdded, type RepairOptions } from "../../tools/drift/repair";
import { readState, type StackState } from "../../tools/drift/state";
import { readKubeconfig, selectTarget } from "../../tools/plugins/kubernetes/cluster/kubeconfig";
import { Transport } from "../../tools/plugins/kubernetes/cluster/transport";
import { available, disturbances, driftProgram, ordinaryLife, remake } from "../support/driftProgram";
import { FakeCluster } from "../tools/plugins/kubernetes/support/fake-cluster";
import { Workspace } from "../tools/plugins/workspace";

const sentences = (findings: readonly Finding[]) =>
  findings.map((finding) => `${objectOf(finding)}: ${finding.what}`).sort();

describe("drift under the real engine", function () {
  this.timeout("5m");
  this.bail(true);
  let fake: FakeCluster;
  let workspace: Workspace;
  let cluster: Cluster;
  const told: string[] = [];

  before(async () => {
    fake = await FakeCluster.start();
    fake.controller = available;
    workspace = await Workspace.create(driftProgram, ["kubernetes", "random"]);
    await workspace.write("kubeconfig", fake.kubeconfig);
    workspace.environment.KUBECONFIG = `${workspace.folder}/kubeconfig`;
    await workspace.succeed("config", "set", "--secret", "token", "sentinel-4711");
    await workspace.succeed("up", "--yes", "--skip-preview");
    const config = await readKubeconfig(fake.kubeconfig);
    const selection = { kubeconfig: "", context: "", cluster: "", namespace: "" };
    cluster = new Cluster(new Transport(selectTarget(config, selection)));
  });
  after(async () => {
    await workspace?.remove();
    await fake?.stop();
  });

  const exported = (...flags: string[]) => workspace.succeed("stack", "export", ...flags);
  async function look(): Promise<{ state: StackState; findings: Finding[] }> {
    const state = readState(await exported("--show-secrets"));
    return { state, findings: await findDrift(state, cluster) };
  }
  /** As the project's own commands run the engine: what was interrupted is settled first. */
  async function engine(args: readonly string[], env: Record<string, string>): Promise<number> {
    const state = JSON.parse(await exported()) as Deployment;
    if ((state.deployment.pending_operations ?? []).length > 0) {
      await workspace.write("settled.json", JSON.stringify(settle(state).deployment));
      await workspace.succeed("stack", "import", "--file", "settled.json");
    }
    Object.assign(workspace.environment, env);
    const { code, output } = await workspace.run(...args);
    told.push(output);
    return code ?? 1;
  }
  async function mend(options: Partial<RepairOptions>, answers?: boolean): Promise<void> {
    const { state, findings } = await look();
    const ask = answers === undefined ? undefined : () => Promise.resolve(answers);
    const note = (text: string) => told.push(text);
    const all = { stack: "test", yes: true, removeAdded: false, ...options };
    const means = { cluster, engine, ask, note };
    await putBack(findings, state, all, means);
    await takeAwayAdded((await look()).findings, all, means);
  }

  it("finds none after an update, nor in what controllers and autoscalers do", async () => {
    expect(sentences((await look()).findings)).to.deep.equal([]);
    ordinaryLife(fake);
    const { state, findings } = await look();
    expect(sentences(findings)).to.deep.equal([]);
    expect(Object.fromEntries(state.others)).to.deep.equal({ random: 1 });
  });

  for (const [sentence, disturb] of Object.entries(disturbances)) {
    it(`finds: ${sentence}`, async () => {
      const before = sentences((await look()).findings);
      disturb(fake);
      const found = sentences((await look()).findings).filter((each) => !before.includes(each));
      expect(found).to.include(sentence);
    });
  }

  it("finds an operation that was interrupted", async () => {
    const path = join(workspace.folder, "state/.pulumi/stacks/program/test.json");
    const text = readFileSync(path, "utf8");
    const file = JSON.parse(text) as {
      checkpoint: { latest: { resources: { urn: string }[]; pending_operations?: unknown[] } };
    };
    const { latest } = file.checkpoint;
    const resource = latest.resources.find(({ urn }) => urn.endsWith("::made"));
    latest.resources = latest.resources.filter((each) => each !== resource);
    latest.pending_operations = [{ resource, type: "creating" }];
    writeFileSync(path, JSON.stringify(file));
    expect(sentences((await look()).findings)).to.include("ConfigMap made: creating it was interrupted");
  });

  it("knows who did it, and never shows the value of a secret", async () => {
    const { findings } = await look();
    const scaled = findings.find(({ what }) => what.startsWith("spec.replicas"));
    expect(scaled?.writer).to.deep.equal({ manager: "kubectl-scale", time: "2026-01-01T00:00:00Z" });
    const shown = JSON.stringify(findings.map(({ live: _live, ...rest }) => rest));
    for (const secret of ["sentinel-4711", "sentinel-by-hand"]) {
      expect(shown).not.to.contain(secret).and.not.to.contain(Buffer.from(secret).toString("base64"));
    }
  });

  it("agrees with the engine's own refresh about what was changed or deleted", async () => {
    const json = await workspace.succeed("preview", "--refresh", "--json");
    const { steps } = JSON.parse(json.slice(json.indexOf("{"))) as { steps: { op: string; urn: string }[] };
    const changing = steps.filter(
      ({ op, urn }) => !["same", "refresh", "read"].includes(op) && !urn.includes(":Stack::"),
    );
    const { findings } = await look();
    const own = findings.filter((finding) => !isAddition(finding)).map(({ urn }) => urn ?? "");
    expect([...new Set(own)].sort()).to.deep.equal([...new Set(changing.map(({ urn }) => urn))].sort());
  });

  it("finds what the engine would be refused to put right", async () => {
    remake(fake, "kept");
    expect(sentences((await look()).findings)).to.include("ConfigMap shop/kept: was deleted and made anew");
    expect((await workspace.run("preview", "--refresh")).output).to.contain(
      "ConfigMap shop/kept would not be updated",
    );
  });

  it("repairs what was changed or deleted, keeps what was added, and says so", async () => {
    await mend({});
    const { findings } = await look();
    expect(sentences(findings)).to.deep.equal([
      "ConfigMap shop/by-hand: is not in the stack",
      "Deployment shop/web: spec.template.metadata.annotations was added",
      "Pod shop/debug: is not in the stack",
      "RoleBinding shop/readers: subjects[1] was added",
    ]);
    expect(told).to.include("kept: ConfigMap shop/by-hand");
    expect(fake.live("Secret", "shop", "password").data).to.deep.equal({
      token: Buffer.from("sentinel-4711").toString("base64"),
    });
    expect(told.join("\n")).not.to.contain("sentinel-");
  });

  it("keeps what somebody does not want removed", async () => {
    await mend({ yes: false }, false);
    expect((await look()).findings).to.have.length(4);
  });

  it("removes what was added when it is told to, and then there is none", async () => {
    await mend({ removeAdded: true });
    expect(sentences((await look()).findings)).to.deep.equal([]);
    expect(fake.get("ConfigMap", "shop", "by-hand")).to.equal(undefined);
  });

  it("does nothing the second time, and the next update finds nothing to do", async () => {
    const before = fake.writes().length;
    await mend({ removeAdded: true });
    expect(await workspace.succeed("up", "--yes", "--skip-preview", "--refresh")).to.match(
      /\d+ unchanged\s*\n/,
    );
    expect(fake.writes()).to.have.length(before);
  });
});
