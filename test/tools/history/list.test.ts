import { expect } from "chai";
import { executionAgent, parseAgent, runBy } from "../../../tools/engine/agent";
import { listHistory } from "../../../tools/history/list";
import { historyJson, renderHistory } from "../../../tools/history/render";
import { digestOf, FakeHistory, idOf, updatesOf } from "../rollback/support";

const surroundings = { state: { url: "file:///nowhere" }, env: {} };
const application = (version: string, image: object) => ({
  "technova:application": { version, image, schemaRevision: "0004" },
});
const built = { build: { repository: "technova/inventory" } };
const commit = { "git.head": "0123456789abcdef0123456789abcdef01234567", "git.dirty": "true" };

const history = () => {
  const fake = new FakeHistory(
    updatesOf(
      { config: application("1.0.0", built), environment: { ...commit, "git.committer": "Alice" } },
      {
        config: application("1.0.1", { repository: "technova/inventory", digest: digestOf("2") }),
        message: "A release\nwith more to say",
        succeeded: false,
        requestedBy: "bob",
      },
      { config: application("1.0.0", built), backTo: 1, message: "Back" },
    ),
  );
  fake.left.set(idOf(1), { image: `localhost:5050/technova/inventory@${digestOf("1")}` });
  return fake;
};

describe("the list of a history", () => {
  it("says when, what, how, which version, image, schema and commit, who, and what was changed", async () => {
    const text = renderHistory(await listHistory(history(), "technova", undefined, surroundings));
    expect(text.split("\n")).to.deep.equal([
      "#  ended (UTC)       what    result     version  image         schema  commit     took",
      "3  2026-01-01 12:02  update  succeeded  1.0.0                  0004               30 s",
      "     back to 1",
      '     technova:application.image.build.repository "technova/inventory" (new)',
      "     technova:application.image.digest",
      `     "${digestOf("2")}" -> (none)`,
      '     technova:application.image.repository "technova/inventory" -> (none)',
      '     technova:application.version "1.0.1" -> "1.0.0"',
      "     by a@b: Back",
      "2  2026-01-01 12:01  update  failed     1.0.1    222222222222  0004               30 s",
      '     technova:application.image.build.repository "technova/inventory" -> (none)',
      "     technova:application.image.digest",
      `     "${digestOf("2")}" (new)`,
      '     technova:application.image.repository "technova/inventory" (new)',
      '     technova:application.version "1.0.0" -> "1.0.1"',
      "     by bob: A release",
      "1  2026-01-01 12:00  update  succeeded  1.0.0    111111111111  0004    01234567*  30 s",
      "     by Alice (commit)",
    ]);
  });

  it("compares the oldest that is shown with the one before it", async () => {
    const listed = await listHistory(history(), "technova", 2, surroundings);
    expect(listed.map(({ update, changed }) => [update.number, changed?.length])).to.deep.equal([
      [3, 4],
      [2, 4],
    ]);
  });

  it("says which update came back, also where that is not among those shown", async () => {
    const [newest] = await listHistory(history(), "technova", 1, surroundings);
    expect(newest?.backTo).to.equal(1);
  });

  it("is JSON for programs", async () => {
    const [, , first] = historyJson(await listHistory(history(), "technova", undefined, surroundings));
    expect(first).to.deep.include({
      number: 1,
      result: "succeeded",
      endedAt: "2026-01-01T12:00:30.000Z",
      image: digestOf("1"),
      schemaRevision: "0004",
      dirty: true,
      changed: null,
    });
  });

  it("says so when there is nothing", () => {
    expect(renderHistory([])).to.equal("The stack has no history yet.");
  });
});

describe("what the commands say of themselves in the history", () => {
  it("is read as it was written", () => {
    for (const agent of [{}, { user: "alice@laptop" }, { user: "a@b", rolledBackTo: "17" }]) {
      const { user, rolledBackTo } = parseAgent(executionAgent(agent));
      expect({ user, rolledBackTo }).to.deep.equal({ user: undefined, rolledBackTo: undefined, ...agent });
    }
    expect(parseAgent(executionAgent({ user: "a rollback=3" })).rolledBackTo).to.equal(undefined);
    expect(parseAgent("pulumi-kubernetes-operator rollback=1")).to.deep.equal({});
    expect(parseAgent(undefined)).to.deep.equal({});
  });

  it("names whoever started the pipeline, else the account", () => {
    expect(runBy({ GITHUB_ACTOR: "alice" })).to.equal("alice");
    expect(runBy({})).to.match(/^.+@.+$/);
  });
});
