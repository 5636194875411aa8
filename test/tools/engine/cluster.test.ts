import { expect } from "chai";
import { join } from "node:path";
import { changesEmbeddedCluster, requireCluster } from "../../../tools/engine/cluster";
import { parseInvocation } from "../../../tools/engine/invocation";
import { checkoutWith, messageOfFailure, write } from "./support";

describe("the cluster of a stack", () => {
  let root: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(() => {
    root = checkoutWith({
      "Pulumi.local.yaml": "config: { kubernetes:context: technova-local }",
      "Pulumi.staging.yaml": "config: { kubernetes:context: staging }",
    });
    env = { TECHNOVA_CLUSTER_DIR: join(root, "cluster") };
  });
  const require = (...args: string[]) => requireCluster(root, parseInvocation(args, {}), env);

  it("has to be up for a command that changes it, and the error names every way out", async () => {
    const message = await messageOfFailure(() => require("up"));
    expect(message).to.include("npm start").and.to.include("npm run cluster -- up");
    expect(message).to.include("config set kubernetes:context <name> --stack local");
  });

  it("may be away for everything else", () => {
    for (const command of ["preview", "config", "stack"]) require(command);
  });

  it("is no concern of stacks on other clusters", () => {
    require("up", "--stack", "staging");
  });

  it("may be away when it is gone for good and the stack is to be forgotten", async () => {
    env.PULUMI_K8S_DELETE_UNREACHABLE = "true";
    require("destroy");
    expect(await messageOfFailure(() => require("up"))).to.include("npm start");
  });

  it("is used when it is up", () => {
    write(root, "cluster/kubeconfig", "");
    write(root, "cluster/run/docker.sock", "");
    require("up");
    expect(changesEmbeddedCluster(root, parseInvocation(["up"], {}), env)).to.equal(true);
  });
});
