import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { clusterEnvironment } from "../../tools/cluster/environment";
import { clusterPaths } from "../../tools/cluster/paths";
import { checkout, npm, npmOk } from "./support/command";
import { kubectl } from "./support/cluster";
import { call, gatewayOf } from "./support/gateway";

/** The stack's real secrets are the sentinels: none of them may stand anywhere in plain text. */
describe("secrets", function () {
  this.timeout("30m");

  const sentinels = new Map<string, string>();
  let output = "";

  before(async () => {
    await npmOk("cluster", "up");
    output = (await npmOk("up", "--stack", "local", "--yes", "--skip-preview", "--diff")).output;
    const gateway = await gatewayOf("local");
    // Refusals and failures log more than successes do.
    await call(gateway, "GET", "/api/v1/items/%00");
    await call({ ...gateway, apiKey: `${gateway.apiKey}x` }, "GET", "/api/v1/items");
    sentinels.set("adminApiKey", gateway.apiKey);
    const { items } = JSON.parse(await kubectl("get", "secrets", "-A", "-o", "json")) as {
      items: { metadata: { name: string }; type: string; data?: Record<string, string> }[];
    };
    for (const { metadata, data = {} } of items) {
      for (const [key, encoded] of Object.entries(data)) {
        const value = Buffer.from(encoded, "base64").toString();
        if (/\.crt$|username|user$/.test(key) || value.length < 16) continue;
        sentinels.set(`${metadata.name}/${key}`, value);
        sentinels.set(`${metadata.name}/${key}, encoded`, encoded);
        const password = /:\/\/[^:]+:([^@]+)@/.exec(value)?.[1];
        if (password !== undefined) sentinels.set(`${metadata.name}/${key}, password`, password);
      }
    }
  });

  after(async () => {
    await npm("destroy", "--stack", "local", "--yes");
    await npm("cluster", "down");
  });

  const found = (text: string): string[] =>
    [...sentinels].filter(([, value]) => text.includes(value)).map(([name]) => name);

  /** Names of the sentinels in any file below a folder, however large; `grep` reads patterns from its input. */
  const foundBelow = (folder: string, ...flags: string[]): string => {
    const patterns = [...sentinels.values()].filter((value) => !value.includes("\n")).join("\n");
    try {
      return execFileSync("grep", ["-rlaF", ...flags, "-f", "-", folder], {
        input: patterns,
        encoding: "utf8",
      });
    } catch (error) {
      if ((error as { status?: number }).status === 1) return "";
      throw error;
    }
  };

  it("there are sentinels to look for", () => {
    expect([...sentinels.keys()].join(" ")).to.match(/password/);
    expect(sentinels.size).to.be.greaterThan(4);
  });

  it("not in what up prints", () => expect(found(output)).to.be.empty);

  it("not in the exported state", async () => {
    expect(found((await npmOk("pulumi", "stack", "export", "--stack", "local")).stdout)).to.be.empty;
  });

  it("not in the files of the state", () => expect(foundBelow(join(checkout, ".pulumi-state"))).to.equal(""));

  it("not in the repository", () => {
    expect(foundBelow(checkout, "--exclude-dir=node_modules", "--exclude-dir=.venv")).to.equal("");
  });

  it("not in any log: Pods, nodes, the API server's audit", () => {
    expect(foundBelow(join(clusterPaths().var, "log"))).to.equal("");
  });

  it("not in the layers and the configuration of the application's image", async () => {
    const { image } = await gatewayOf("local");
    const folder = mkdtempSync(join(tmpdir(), "technova-image-"));
    try {
      const env = { ...process.env, ...clusterEnvironment() };
      execFileSync("docker", ["pull", "--quiet", image], { env });
      execFileSync("docker", ["save", "--output", join(folder, "image.tar"), image], { env });
      expect(foundBelow(folder)).to.equal("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
