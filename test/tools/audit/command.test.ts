import { expect } from "chai";
import { StackTrail } from "../../../tools/audit/trail";
import { Loki } from "../../../tools/audit/loki";
import { connect } from "../../../tools/release/api";
import { audit, auditEvent, githubLabels, kubernetesLabels, minutesAgo, place, type Place } from "./support";

const deployment = { apiGroup: "apps", resource: "deployments", namespace: "inventory", name: "api" };

function happened({ loki }: Place, minutes: number, ...change: Parameters<typeof auditEvent>): void {
  loki.add(minutesAgo(minutes), kubernetesLabels, ...auditEvent(...change));
}

/** The texts of the table's last column, as JSON has them. */
async function found(there: Place, ...args: string[]): Promise<string[]> {
  const { out, error, code } = await audit(there, "--json", ...args);
  expect(code, error).to.equal(0);
  const { entries } = JSON.parse(out) as { entries: { who: string; what: string }[] };
  return entries.map(({ who, what }) => `${who} ${what}`);
}

describe("npm run audit", () => {
  it("puts all sources into one table, the newest first", async () => {
    const there = await place();
    happened(there, 30, { who: "alice", verb: "patch", object: deployment });
    const pushed = {
      _document_id: "d1",
      action: "protected_branch.destroy",
      actor: "bob",
      repo: "technova/platform",
    };
    there.loki.add(minutesAgo(20), githubLabels, { ...pushed, name: "main" }, { who: "bob" });
    const trail = new StackTrail(new Loki(await connect(there.root, "staging", there.env)), "staging");
    await trail.add([
      {
        id: "1",
        at: minutesAgo(10).toISOString(),
        kind: "update",
        result: "failed",
        who: "carol@laptop",
        message: "More logs",
        commit: "3f1c2d4a5b6c7d8e9f*",
        version: "1.0.1",
        changed: ["technova:application.version", "technova:secrets.databaseUrl"],
        resources: { same: 120, update: 2, create: 1 },
      },
    ]);
    const { out, code } = await audit(there);
    expect(code).to.equal(0);
    const [heading, ...rows] = out.split("\n").map((line) => line.replace(/\s\s+/g, "  "));
    expect(heading).to.equal("when (UTC)  source  who  result  what");
    const text = rows.join(" ").replace(/\s+/g, " ");
    expect(text).to.match(
      /stack carol@laptop failed update: 2 update, 1 create; version 1\.0\.1; changed .*version, .*databaseUrl; commit 3f1c2d4a\*; "More logs" .* github bob done protected_branch\.destroy technova\/platform name main .* kubernetes alice done patch deployments\.apps\/api in inventory$/,
    );
    expect(out.split("\n").every((line) => line.length <= 120)).to.equal(true);
  });

  it("finds by who, what, source and time", async () => {
    const there = await place();
    happened(there, 10, { who: "alice", verb: "patch", object: deployment });
    happened(there, 20, {
      who: "Alicia",
      verb: "delete",
      object: { resource: "secrets", name: "x", namespace: "y" },
    });
    happened(there, 3000, { who: "bob", verb: "create", object: deployment });
    there.loki.add(
      minutesAgo(5),
      githubLabels,
      { _document_id: "d", action: "repo.create", actor: "alice" },
      { who: "alice" },
    );
    const patch = "alice patch deployments.apps/api in inventory";
    const gone = "Alicia delete secrets/x in y";
    expect(await found(there, "--who", "ALICE")).to.deep.equal(["alice repo.create", patch]);
    expect(await found(there, "--who", "ali", "--source", "kubernetes")).to.deep.equal([patch, gone]);
    expect(await found(there, "--what", "Secrets")).to.deep.equal([gone]);
    expect(await found(there, "--since", "15m", "--source", "kubernetes")).to.deep.equal([patch]);
    expect(await found(there, "--since", "3d", "--who", "bob")).to.have.lengthOf(1);
    const since = minutesAgo(15).toISOString();
    expect(await found(there, "--since", since, "--who", "ali")).to.deep.equal(["alice repo.create", patch]);
    expect((await audit(there, "--who", "nobody")).out).to.equal("No change was found.");
  });

  it("leaves out what changes nothing, and tells a session in a Pod", async () => {
    const there = await place();
    const pod = { resource: "pods", namespace: "inventory", name: "p" };
    happened(there, 9, { who: "alice", verb: "get", object: pod });
    happened(there, 8, {
      who: "alice",
      verb: "patch",
      object: deployment,
      uri: "/apis/x?dryRun=All&force=true",
    });
    const reviews = { apiGroup: "authorization.k8s.io", resource: "selfsubjectaccessreviews" };
    happened(there, 7, { who: "alice", verb: "create", object: reviews });
    happened(there, 6, { who: "alice", verb: "get", object: { ...pod, subresource: "exec" } });
    expect(await found(there)).to.deep.equal(["alice get pods/p/exec in inventory"]);
  });

  it("tells a request once whose beginning and end were written down", async () => {
    const there = await place();
    const session = { resource: "pods", subresource: "exec", namespace: "inventory", name: "p" };
    happened(there, 6, { who: "alice", verb: "create", object: session, id: "one", code: 101 });
    happened(there, 5, { who: "alice", verb: "create", object: session, id: "one", code: 101 });
    expect(await found(there)).to.have.lengthOf(1);
  });

  it("tells what was refused, and for whom somebody acted", async () => {
    const there = await place();
    happened(there, 5, { who: "admin", as: "eve", verb: "delete", object: deployment, code: 403 });
    happened(there, 4, { who: "bob", verb: "create", object: deployment, code: 409 });
    const { out } = await audit(there);
    expect(out).to.match(/eve \(through admin\) +refused \(403\) +delete deployments/);
    expect(out).to.match(/bob +failed \(409\) +create deployments/);
    for (const who of ["eve", "admin"]) expect(await found(there, "--who", who)).to.have.lengthOf(1);
  });

  it("counts what accounts of the cluster and the platform do, and shows it on demand", async () => {
    const there = await place();
    const own = [
      "system:node:n1",
      "system:kube-controller-manager",
      "system:serviceaccount:kube-system:deployment-controller",
      "system:serviceaccount:delivery:argo-rollouts",
    ];
    for (const who of own) happened(there, 5, { who, verb: "patch", object: deployment });
    // Accounts of others are none of those.
    for (const who of ["system:serviceaccount:ci:deployer", "system:anonymous"]) {
      happened(there, 6, { who, verb: "patch", object: deployment });
    }
    const { out } = await audit(there);
    expect(out).to.contain("ci:deployer").and.contain("system:anonymous");
    expect(out).to.not.contain("argo-rollouts");
    expect(out).to.contain("4 by accounts of the cluster and the platform itself: --all shows them.");
    expect(await found(there, "--all")).to.have.lengthOf(6);
    expect(await found(there, "--who", "argo")).to.have.lengthOf(1);
  });

  it("shows as many as asked for, the newest, and says that there are more", async () => {
    const there = await place();
    for (const minutes of [1, 2, 3]) {
      happened(there, minutes, { who: `user${minutes}`, verb: "patch", object: deployment });
    }
    const { out } = await audit(there, "--limit", "2");
    expect(out).to.contain("user1").and.contain("user2").and.contain("There are older ones");
    expect(out).to.not.contain("user3");
    expect((await audit(there, "--limit", "3")).out).to.not.contain("There are older ones");
  });

  it("goes by when something happened, not by when it was written down", async () => {
    const there = await place();
    const trail = new StackTrail(new Loki(await connect(there.root, "staging", there.env)), "staging");
    const updates = [1, 2, 3, 40, 3000].map((minutes) => ({
      ...{ id: `${minutes}`, kind: "update", result: "succeeded" as const, who: "carol", changed: [] },
      ...{ at: minutesAgo(minutes).toISOString(), message: `${minutes} ago`, resources: {} },
    }));
    await trail.add(updates);
    // Written down once more, by somebody who had not seen it.
    await trail.add(updates.slice(3));
    const [first, ...others] = await found(there, "--limit", "3");
    expect(first).to.equal('carol update: "1 ago"');
    expect(others).to.deep.equal(['carol update: "2 ago"', 'carol update: "3 ago"']);
    expect(await found(there)).to.have.lengthOf(4);
    expect(await found(there, "--since", "7d")).to.have.lengthOf(5);
    // Loki refuses lines that are behind their stream.
    const written = there.loki.stored.map(({ time }) => Number(time / 1_000_000n));
    expect(Math.min(...written)).to.be.greaterThan(Date.now() - 31 * 60_000);
  });

  it("makes do with the metadata of a line that was cut, and passes over what is none of its lines", async () => {
    const there = await place();
    const [line, metadata] = auditEvent({ who: "alice", verb: "patch", object: deployment });
    there.loki.add(minutesAgo(1), kubernetesLabels, JSON.stringify(line).slice(0, 80), metadata);
    there.loki.add(minutesAgo(1), githubLabels, "no JSON");
    expect(await found(there)).to.deep.equal(["alice patch deployments/api in inventory"]);
  });

  it("does not let a name steer the terminal", async () => {
    const there = await place();
    happened(there, 1, { who: "eve\u001b[2J\n", verb: "patch", object: deployment });
    const { out } = await audit(there);
    expect(out).to.match(/eve \[2J/);
    expect(out).to.not.match(/[^\P{Cc}\n]/u);
  });

  it("says what to do when it cannot be", async () => {
    const there = await place();
    const told = async (failure: number) => {
      there.loki.failure = failure;
      const { code, error } = await audit(there);
      expect(code).to.equal(1);
      return error;
    };
    expect(await told(404)).to.match(/has no audit trail.*technova:monitoring\.logs/);
    expect(await told(403)).to.match(/services\/proxy of loki:http.*access\.admins/);
    expect(await told(503)).to.match(/Loki does not answer.*kubectl get pods -n monitoring/);
    expect(await told(400)).to.match(/Loki refuses it: the fake answers 400/);
    await there.loki.stop();
    there.loki.failure = undefined;
    expect((await audit(there)).error).to.match(/The cluster does not answer/);
    expect((await audit(there, "--stack", "none")).error).to.match(/no Pulumi\.none\.yaml/);
  });

  it("says how it is used", async () => {
    const there = await place();
    const help = await audit(there, "--help");
    expect(help.code).to.equal(0);
    for (const text of ["--since", "--who", "--what", "--source", "--json", "Exit codes"]) {
      expect(help.out).to.contain(text);
    }
    const wrong = [
      ["--since", "yesterday"],
      ["--since", "12"],
      ["--since", "2999-01-01"],
      ["--source", "gitlab"],
      ["--limit", "0"],
      ["--nothing"],
    ];
    for (const args of wrong) {
      const { code, error } = await audit(there, ...args);
      expect(code, args.join(" ")).to.equal(2);
      expect(error).to.not.equal("");
    }
  });
});
