import { expect } from "chai";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pluginHome } from "../../../tools/engine/pluginHome";
import { temporaryFolder, write } from "./support";

describe("the Pulumi home of the project's own plugins", () => {
  const own = (launchers: string) => ({
    folder: "resource-random-v4.21.2",
    executable: "pulumi-resource-random",
    launchers,
  });

  function home(files: readonly string[]): string {
    const user = temporaryFolder();
    for (const file of files) write(user, file, `the user's ${file}`);
    const launchers = temporaryFolder();
    write(launchers, "pulumi-resource-random", "own", 0o755);
    return pluginHome(temporaryFolder(), user, [own(launchers)]);
  }

  it("is the user's with the project's plugins added", () => {
    const path = home(["credentials.json", "plugins/resource-aws-v7.0.0/pulumi-resource-aws"]);
    const read = (file: string) => readFileSync(join(path, file), "utf8");
    expect(read("credentials.json")).to.equal("the user's credentials.json");
    expect(read("plugins/resource-aws-v7.0.0/pulumi-resource-aws")).to.match(/^the user's/);
    expect(read("plugins/resource-random-v4.21.2/pulumi-resource-random")).to.equal("own");
  });

  it("takes no logs, whether the user's has some or not", () => {
    for (const files of [[], ["logs/pulumi-1.log"]]) {
      expect(statSync(join(home(files), "logs")).isDirectory()).to.equal(false);
    }
  });
});
