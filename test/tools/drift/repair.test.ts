import { expect } from "chai";
import { Cluster } from "../../../tools/drift/cluster";
import type { Finding } from "../../../tools/drift/finding";
import { putBack, takeAwayAdded, type Means } from "../../../tools/drift/repair";
import { readState } from "../../../tools/drift/state";
import { readKubeconfig, selectTarget } from "../../../tools/plugins/kubernetes/cluster/kubeconfig";
import { Transport } from "../../../tools/plugins/kubernetes/cluster/transport";
import type { PropertyMap } from "../../../tools/plugins/rpc/values";
import { FakeCluster } from "../plugins/kubernetes/support/fake-cluster";
import { messageOfFailure } from "../engine/support";

const options = { stack: "test", yes: true, removeAdded: true };
const urnOf = (name: string) => `urn:pulumi:test::p::kubernetes:core/v1:Secret::${name}`;

const provider = "urn:pulumi:test::p::pulumi:providers:random::default_4_21_2";

/**
 * A state with one Secret, whose name Pulumi has made up or the program has given; with what has its name, and what
 * refers to that, and what only waits for it.
 */
const stateWith = (annotations: PropertyMap) => {
  const inputs = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "x", namespace: "shop", annotations },
  };
  const resource = {
    urn: urnOf("x"),
    type: "kubernetes:core/v1:Secret",
    custom: true,
    id: "shop/x",
    inputs,
    outputs: inputs,
  };
  const another = (name: string, from: string, ofProvider?: string) => ({
    ...{ urn: urnOf(name), type: "random:index/randomPet:RandomPet", custom: true, dependencies: [from] },
    propertyDependencies: { keepers: ofProvider === undefined ? [] : [from] },
    provider: ofProvider && `${ofProvider}::04da6b54-80e4-46f7-96ec-b56ff0331ba9`,
  });
  const others = [
    another("follower", urnOf("x"), provider),
    another("follower-of-it", urnOf("follower"), provider),
    another("waits", urnOf("x")),
  ];
  return readState(JSON.stringify({ deployment: { resources: [resource, ...others] } }));
};

const finding = (more: Partial<Finding>): Finding => ({
  apiVersion: "v1",
  kind: "Secret",
  namespace: "shop",
  name: "x",
  change: "changed",
  what: "data.key has another value",
  urn: urnOf("x"),
  path: ["data", "key"],
  ...more,
});

describe("a repair of drift", () => {
  let fake: FakeCluster;
  let means: Means;
  let called: { args: readonly string[]; env: Record<string, string> }[];
  let notes: string[];
  let code: number;

  beforeEach(async () => {
    fake = await FakeCluster.start();
    [called, notes, code] = [[], [], 0];
    const config = await readKubeconfig(fake.kubeconfig);
    const selection = { kubeconfig: "", context: "", cluster: "", namespace: "" };
    means = {
      cluster: new Cluster(new Transport(selectTarget(config, selection), { retries: 0 })),
      engine: (args, env) => {
        called.push({ args, env });
        return Promise.resolve(code);
      },
      ask: undefined,
      note: (text) => notes.push(text),
    };
  });
  afterEach(() => fake.stop());

  const autonamed = { "pulumi.com/autonamed": "true" };

  it("asks the engine for what has drifted, and nothing else", async () => {
    await putBack([finding({}), finding({ path: ["data", "other"] })], stateWith({}), options, means);
    expect(called).to.deep.equal([
      {
        args: ["up", "--stack", "test", "--refresh", "--suppress-outputs", "--yes", "--target", urnOf("x")],
        env: { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" },
      },
    ]);
    await putBack([finding({})], stateWith({}), { ...options, yes: false }, means);
    expect(called[1]?.args).not.to.include("--yes");
  });

  for (const [what, change, follows] of [
    ["its data, which only another object can have", finding({}), true],
    ["a label", finding({ path: ["metadata", "labels", "a"] }), false],
    ["all of it", finding({ change: "missing", path: undefined }), true],
  ] as const) {
    it(`lets others follow an object by another name: ${what}, ${follows}`, async () => {
      const targets = (args: readonly string[] = []) => args.filter((_, at) => args[at - 1] === "--target");
      await putBack([change], stateWith(autonamed), options, means);
      expect(targets(called[0]?.args)).to.deep.equal(
        follows ? [urnOf("x"), urnOf("follower"), provider, urnOf("follower-of-it")] : [urnOf("x")],
      );
      await putBack([change], stateWith({}), options, means);
      expect(targets(called[1]?.args)).to.deep.equal([urnOf("x")]);
    });
  }

  it("does not start the engine for what was added, and says when it did not get through", async () => {
    await putBack(
      [finding({ change: "added" }), finding({ change: "extra" })],
      stateWith({}),
      options,
      means,
    );
    expect(called).to.be.empty;
    code = 255;
    const told = await messageOfFailure(() => putBack([finding({})], stateWith({}), options, means));
    expect(told).to.contain("did not come to its end");
  });

  it("leaves an object in the way when nobody agrees, and its resource with it", async () => {
    fake.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    fake.put({ apiVersion: "v1", kind: "Secret", metadata: { name: "x", namespace: "shop" } });
    const inTheWay = finding({ change: "replaced", inTheWay: true });
    await putBack([inTheWay], stateWith({}), { ...options, yes: false }, means);
    expect(called).to.be.empty;
    expect(notes.join()).to.match(/^kept: Secret shop\/x/);
    await putBack([inTheWay], stateWith({}), options, means);
    expect(called).to.have.length(1);
    expect(fake.get("Secret", "shop", "x")).to.equal(undefined);
  });

  describe("takes away what was added", () => {
    const binding = { kind: "RoleBinding", apiVersion: "rbac.authorization.k8s.io/v1", name: "readers" };
    const added = (index: number, live: string) =>
      finding({
        ...binding,
        change: "added",
        what: `subjects[${index}] was added`,
        path: ["subjects", index],
        live,
      });
    beforeEach(() => {
      fake.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
      const metadata = { name: "readers", namespace: "shop", annotations: { "a/b~c": "1" } };
      fake.put({ ...binding, metadata, subjects: ["a", "b", "c", "d"] });
    });
    const subjects = () => fake.live("RoleBinding", "shop", "readers").subjects;

    it("from the end of a list, in one request", async () => {
      const annotation = finding({
        ...binding,
        change: "added",
        what: "an annotation was added",
        path: ["metadata", "annotations", "a/b~c"],
        live: "1",
      });
      await takeAwayAdded([added(1, "b"), added(3, "d"), annotation], options, means);
      expect(subjects()).to.deep.equal(["a", "c"]);
      expect(fake.live("RoleBinding", "shop", "readers").metadata).to.have.property("annotations").that.is
        .empty;
      expect(fake.writes()).to.have.length(1);
      // Else the next update would find a difference to what the state says of it.
      expect(called.map(({ args }) => [args[0], args.at(-1)])).to.deep.equal([["refresh", urnOf("x")]]);
    });

    it("only when it is still what was seen", async () => {
      const told = await messageOfFailure(() =>
        takeAwayAdded([added(1, "b"), added(2, "x")], options, means),
      );
      expect(told).to.match(/was changed meanwhile.*Run the command again/s);
      expect(subjects()).to.deep.equal(["a", "b", "c", "d"]);
    });

    it("one by one, by name, as far as somebody agrees", async () => {
      const questions: string[] = [];
      const ask = (question: string) => {
        questions.push(question);
        return Promise.resolve(question.includes("[3]"));
      };
      const asking = { ...options, yes: false, removeAdded: false };
      await takeAwayAdded([added(1, "b"), added(3, "d")], asking, { ...means, ask });
      expect(questions).to.deep.equal([
        "Remove RoleBinding shop/readers: subjects[1]?",
        "Remove RoleBinding shop/readers: subjects[3]?",
      ]);
      expect(subjects()).to.deep.equal(["a", "b", "c"]);
      expect(notes).to.include("kept: RoleBinding shop/readers: subjects[1]");
    });

    it("and is done where it is gone already", async () => {
      const gone = finding({ ...binding, name: "gone", change: "extra" });
      await takeAwayAdded([gone], options, means);
      expect(fake.writes()).to.have.length(1);
    });
  });
});
