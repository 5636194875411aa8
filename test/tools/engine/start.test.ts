import { expect } from "chai";
import { start } from "../../../tools/engine/start";
import { messageOfFailure } from "./support";

describe("npm start", () => {
  const { getuid, env } = process;

  afterEach(() => {
    process.getuid = getuid;
    process.env = env;
  });

  it("says that the embedded cluster needs root before it looks for a CLI, or builds one", async () => {
    process.getuid = () => 1000;
    process.env = { ...env, TECHNOVA_PULUMI_CLI: "none", TECHNOVA_CLUSTER_DIR: "/nowhere" };
    expect(await messageOfFailure(start)).to.contain("The embedded cluster needs root");
  });
});
