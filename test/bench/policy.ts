import { delimiter, join } from "node:path";
import { bundlePolicyPack } from "../../policy/bundle";
import { bareEngine, projectFile } from "./engine";
import { ratio, seconds, table } from "./measure";

/** As many workloads as the configuration says, each with what every policy looks for. */
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const { Deployment } = require("@pulumi/kubernetes/apps/v1");
const container = (name) => ({
  name,
  image: "registry.example/shop@sha256:${"0123456789abcdef".repeat(4)}",
  env: [{ name: "LOG_LEVEL", value: "info" }, { name: "PORT", value: "8080" }],
  args: ["serve", "--workers=4"],
  ports: [{ name: "http", containerPort: 8080 }],
  resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "1", memory: "128Mi" } },
  readinessProbe: { httpGet: { path: "/readyz", port: "http" } },
  livenessProbe: { httpGet: { path: "/healthz", port: "http" } },
  securityContext: {
    runAsNonRoot: true, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] }, seccompProfile: { type: "RuntimeDefault" },
  },
});
for (let index = 0; index < new pulumi.Config().requireNumber("workloads"); index += 1) {
  const labels = { app: "shop-" + index };
  new Deployment("shop-" + index, {
    metadata: { namespace: "shop", labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { automountServiceAccountToken: false, containers: [container("app"), container("proxy")] },
      },
    },
  });
}
`;

/** What the pack adds to a preview, beside a pack with one policy that does nothing; and how that grows. */
export async function policy(): Promise<void> {
  const engine = await bareEngine();
  try {
    const [full, empty] = await Promise.all([
      bundlePolicyPack(),
      bundlePolicyPack({ folder: join(__dirname, "emptyPack"), runtime: "technova-empty", version: "0.1.0" }),
    ]);
    const path = [full.path, empty.path, process.env.PATH].join(delimiter);
    const files = { "Pulumi.yaml": projectFile("shop"), "index.js": PROGRAM };
    const preview = (workloads: number, pack?: string) => {
      const policies = pack === undefined ? [] : ["--policy-pack", pack, "--policy-pack-config", advisory];
      const flags = ["--config", `shop:workloads=${workloads}`, ...(pack === undefined ? [] : policies)];
      return engine.preview(files, { runs: workloads > 1000 ? 1 : 3, flags, env: { PATH: path } });
    };
    const advisory = engine.file("advisory.json", JSON.stringify({ all: "advisory" }));
    const rows = [
      ["workloads", "no pack", "one empty policy", "all policies", "all to one", "each, all policies"],
    ];
    for (const workloads of [1, 300, 1000, 5000]) {
      const bare = preview(workloads);
      const one = preview(workloads, empty.folder) - bare;
      const all = preview(workloads, full.folder) - bare;
      const each = `${((all / workloads) * 1000).toFixed(2)} ms`;
      rows.push([
        String(workloads),
        seconds(bare),
        `+${seconds(one)}`,
        `+${seconds(all)}`,
        ratio(all / one),
        each,
      ]);
    }
    table(rows);
    console.log("to reach: all to one 1.20x at most, and the same cost of each up to 5,000");
  } finally {
    engine.close();
  }
}
