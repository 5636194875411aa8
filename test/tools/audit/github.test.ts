import { expect } from "chai";
import { bringGitHub, FakeGitHub, type GitHubEvent } from "./githubScript";
import { audit, minutesAgo, place } from "./support";

const started: FakeGitHub[] = [];
afterEach(() => {
  for (const github of started.splice(0)) github.stop();
});

async function servers() {
  const github = new FakeGitHub();
  started.push(github);
  await github.start();
  return { github, there: await place() };
}

let count = 0;
function event(minutes: number, change: Partial<GitHubEvent> = {}): GitHubEvent {
  const time = minutesAgo(minutes).getTime();
  return {
    "@timestamp": time,
    created_at: time,
    _document_id: `document-${(count += 1)}`,
    action: "repo.update_actions_settings",
    actor: "octocat",
    actor_id: 1,
    org: "technova",
    repo: "technova/platform",
    operation_type: "modify",
    ...change,
  };
}

describe("the audit log of an organisation on GitHub", () => {
  it("comes into the trail, page by page, and is found with who and what", async () => {
    const { github, there } = await servers();
    for (let index = 0; index < 250; index++) github.events.push(event(20 + index / 60));
    github.events.push(event(1, { action: "org.add_member", actor: "alice", repo: undefined, user: "bob" }));
    const { code, output } = await bringGitHub(github, there.loki);
    expect(code, output).to.equal(0);
    expect(output).to.equal("251 events brought\n");
    expect(github.asked.map((query) => query.get("after"))).to.deep.equal([null, "100", "200"]);
    const { out } = await audit(there, "--source", "github", "--who", "alice");
    expect(out).to.match(/github +alice +done +org\.add_member technova user bob$/);
    const [line] = there.loki.stored.slice(-1);
    expect(line?.labels).to.deep.equal({ job: "audit", source: "github" });
    expect(line?.metadata).to.include({ who: "alice", action: "org.add_member" });
  });

  it("is brought once, from where the last run ended, and events that come late are made up for", async () => {
    const { github, there } = await servers();
    github.events.push(event(30), event(12));
    await bringGitHub(github, there.loki);
    github.events.push(event(15), event(2));
    const { output } = await bringGitHub(github, there.loki);
    expect(output).to.equal("2 events brought\n");
    expect(there.loki.stored).to.have.lengthOf(4);
    const since = Date.parse(github.asked.at(-1)?.get("phrase")?.replace("created:>=", "") ?? "");
    expect(since).to.be.closeTo(minutesAgo(22).getTime(), 5_000);
    expect((await bringGitHub(github, there.loki)).output).to.equal("0 events brought\n");
  });

  it("is read a week back at first, and what is old is there when it comes", async () => {
    const { github, there } = await servers();
    github.events.push(event(8 * 24 * 60), event(6 * 24 * 60, { actor: "carol" }));
    await bringGitHub(github, there.loki);
    expect(there.loki.stored).to.have.lengthOf(1);
    expect(Number(there.loki.stored[0]?.time ?? 0n) / 1e6).to.be.closeTo(Date.now(), 60_000);
    expect((await audit(there, "--since", "7d", "--who", "carol")).out).to.contain(
      "repo.update_actions_settings",
    );
    expect((await audit(there, "--since", "1d", "--who", "carol")).out).to.equal("No change was found.");
  });

  it("is left alone as long as GitHub wants, or until the next run", async () => {
    const { github, there } = await servers();
    github.events.push(event(1));
    const reset = String(Math.floor(Date.now() / 1000) + 1);
    github.refusals.push(
      [429, { "retry-after": "1" }],
      [403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }],
    );
    const waited = await bringGitHub(github, there.loki);
    expect(waited.output).to.match(/left alone for 1 s\n.*left alone for \d s\n1 events brought\n/);
    expect(waited.code).to.equal(0);
    github.refusals.push([429, { "retry-after": "3000" }]);
    const later = await bringGitHub(github, there.loki);
    expect(later).to.deep.equal({
      code: 0,
      output: "0 events brought; GitHub wants to be left alone for 3000 s; the next run goes on\n",
    });
  });

  it("is missed with a reason when the token or Loki is not as it has to be, and the token is never told", async () => {
    const { github, there } = await servers();
    github.events.push(event(1));
    const refused = await bringGitHub(github, there.loki, { GITHUB_TOKEN: "another-token" });
    expect(refused.code).to.equal(1);
    expect(refused.output).to.match(/401 for the audit log of technova.*read:audit_log/);
    there.loki.failure = 503;
    const away = await bringGitHub(github, there.loki);
    expect(away.code).to.equal(1);
    expect(away.output).to.match(/0 events brought, then: .*503/);
    expect(refused.output + away.output)
      .to.not.contain("a-token")
      .and.not.contain("another-token");
  });

  it("is asked of GitHub alone, whatever an answer names as the next page", async () => {
    const { github, there } = await servers();
    for (let index = 0; index < 150; index++) github.events.push(event(5));
    github.named = "http://127.0.0.1:1";
    const { code, output } = await bringGitHub(github, there.loki);
    expect(code).to.equal(1);
    expect(output).to.contain("not its own");
  });
});
