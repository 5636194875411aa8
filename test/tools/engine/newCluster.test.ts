import { expect } from "chai";
import {
  followCluster,
  withoutCluster,
  type Deployment,
  type EmbeddedCluster,
} from "../../../tools/engine/newCluster";
import { checkoutWith } from "./support";

const component = { urn: "urn:component", type: "kubernetes:yaml:ConfigFile", custom: false };
const password = { urn: "urn:password", type: "random:index/randomPassword:RandomPassword", custom: true };
const image = { urn: "urn:image", type: "docker:index/image:Image", custom: true };
const deployment = {
  urn: "urn:deployment",
  type: "kubernetes:apps/v1:Deployment",
  custom: true,
  dependencies: [image.urn],
};
const namespace = {
  urn: "urn:namespace",
  type: "kubernetes:core/v1:Namespace",
  custom: true,
  outputs: { metadata: { name: "delivery", uid: "of its own" } },
};
const provider = {
  urn: "urn:provider",
  type: "pulumi:providers:kubernetes",
  custom: true,
  dependencies: [deployment.urn, password.urn],
  propertyDependencies: { context: [deployment.urn], config: [password.urn], other: null },
};
const state: Deployment = {
  deployment: {
    resources: [component, password, image, namespace, deployment, provider],
    secrets_providers: { type: "p" },
  },
};

describe("a state whose cluster is gone", () => {
  it("keeps what lives in the state alone, and mentions nothing that it lost", () => {
    const { deployment: cleaned } = withoutCluster(state);
    expect(cleaned.resources?.map(({ urn }) => urn)).to.deep.equal([
      component.urn,
      password.urn,
      provider.urn,
    ]);
    expect(cleaned.resources?.at(-1)).to.deep.include({
      dependencies: [password.urn],
      propertyDependencies: { context: [], config: [password.urn], other: [] },
    });
    expect(cleaned.secrets_providers).to.deep.equal({ type: "p" });
  });
});

describe("a stack on the embedded cluster", () => {
  let calls: string[];
  let imported: Deployment | undefined;
  const cli = async (args: readonly string[], input?: string) => {
    calls.push(args.join(" "));
    if (input !== undefined) imported = JSON.parse(input) as Deployment;
    return { code: 0, stdout: JSON.stringify(state), stderr: "" };
  };
  beforeEach(() => {
    calls = [];
    imported = undefined;
  });

  it("is left alone on its first cluster and as long as that is there", async () => {
    const root = checkoutWith({});
    await followCluster(root, "local", empty("a"), cli);
    await followCluster(root, "local", holding("a", "of its own"), cli);
    expect(calls).to.deep.equal([]);
  });

  it("is brought in line with a new cluster, once", async () => {
    const root = checkoutWith({});
    for (const identity of ["a", "b", "b"]) await followCluster(root, "local", empty(identity), cli);
    expect(calls).to.deep.equal(["stack export --stack local", "stack import --stack local"]);
    expect(imported).to.deep.equal(withoutCluster(state));
  });

  it("is brought in line again when that did not work out", async () => {
    const root = checkoutWith({});
    await followCluster(root, "local", empty("a"), cli);
    const broken = async () => ({ code: 1, stdout: "", stderr: "no" });
    const failed = await refusal(followCluster(root, "local", empty("b"), broken));
    expect(failed).to.include("new cluster").and.to.include("no");
    await followCluster(root, "local", empty("b"), cli);
    expect(calls).to.have.lengthOf(2);
  });

  it("stays away from a cluster that holds somebody else's platform, whatever it had before", async () => {
    for (const before of [[], [empty("a")]]) {
      const root = checkoutWith({});
      for (const cluster of before) await followCluster(root, "local", cluster, cli);
      for (let attempt = 0; attempt < 2; attempt++) {
        const refused = await refusal(followCluster(root, "local", holding("b", "another's"), cli));
        expect(refused).to.include("the state of local").and.to.include("(namespaces delivery)");
        expect(refused).to.include("npm run cluster -- down");
      }
    }
    expect(imported).to.equal(undefined);
  });

  it("knows its own platform again that another checkout with the same state has deployed", async () => {
    const root = checkoutWith({});
    await followCluster(root, "local", holding("a", "of its own"), cli);
    await followCluster(root, "local", holding("b", "of its own"), cli);
    expect(imported).to.equal(undefined);
  });
});

const empty = (identity: string): EmbeddedCluster => ({ identity, namespaces: new Map() });
const holding = (identity: string, uid: string): EmbeddedCluster => ({
  identity,
  namespaces: new Map([[uid, "delivery"]]),
});

async function refusal(work: Promise<void>): Promise<string> {
  return work.then(
    () => "",
    (error: Error) => error.message,
  );
}
