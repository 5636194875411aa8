import { delimiter, join } from "node:path";
import { bundlePolicyPack } from "../../policy/bundle";
import { bareEngine, projectFile } from "./engine";
import { ratio, seconds, table } from "./measure";

/** As many workloads as the configuration says, each with what every policy looks for, and none with a finding. */
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
  const selector = { "app.kubernetes.io/name": "shop-" + index };
  const labels = { ...selector, "app.kubernetes.io/part-of": "shop", "technova.io/owner": "team-shop" };
  new Deployment("shop-" + index, {
    metadata: { namespace: "shop", labels },
    spec: {
      selector: { matchLabels: selector },
      template: {
        metadata: { labels, annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8080" } },
        spec: {
          automountServiceAccountToken: false,
          priorityClassName: "application",
          containers: [container("app"), container("proxy")],
        },
      },
    },
  });
}
`;

interface Size {
  readonly workloads: number;
  readonly rounds: number;
}

/** Large previews are measured once: what disturbs them is small beside them. */
const sizes: readonly Size[] = [
  { workloads: 500, rounds: 3 },
  { workloads: 1000, rounds: 3 },
  { workloads: 2500, rounds: 1 },
  { workloads: 5000, rounds: 1 },
];

/** What the pack adds to a preview, beside a pack with one policy that does nothing; and how that grows. */
export async function policy(chosen: readonly Size[] = sizes): Promise<void> {
  const engine = await bareEngine();
  try {
    const [full, empty] = await Promise.all([
      bundlePolicyPack(),
      bundlePolicyPack({ folder: join(__dirname, "emptyPack"), runtime: "technova-empty", version: "0.1.0" }),
    ]);
    const path = [full.path, empty.path, process.env.PATH].join(delimiter);
    const files = { "Pulumi.yaml": projectFile("shop"), "index.js": PROGRAM };
    const advisory = engine.file("advisory.json", JSON.stringify({ all: "advisory" }));
    const preview = (workloads: number, pack?: string) => {
      const policies = pack === undefined ? [] : ["--policy-pack", pack, "--policy-pack-config", advisory];
      const flags = ["--config", `shop:workloads=${workloads}`, ...policies];
      return engine.preview(files, { runs: 1, flags, env: { PATH: path } });
    };
    const rows = [
      ["workloads", "no pack", "one empty policy", "all policies", "all to one", "each more, all policies"],
    ];
    let before: { readonly workloads: number; readonly time: number } | undefined;
    for (const { workloads, rounds } of chosen) {
      const times = { bare: Infinity, one: Infinity, all: Infinity };
      // In turns, so that what else the machine does is in all of them alike.
      for (let round = 1; round <= rounds; round += 1) {
        console.error(`  ${workloads} workloads, round ${round} of ${rounds}`);
        times.bare = Math.min(times.bare, preview(workloads));
        times.one = Math.min(times.one, preview(workloads, empty.folder));
        times.all = Math.min(times.all, preview(workloads, full.folder));
      }
      const { bare, one, all } = times;
      const each = before && ((all - before.time) / (workloads - before.workloads)) * 1000;
      before = { workloads, time: all };
      rows.push([
        String(workloads),
        seconds(bare),
        `+${seconds(one - bare)}`,
        `+${seconds(all - bare)}`,
        ratio((all - bare) / (one - bare)),
        each === undefined ? "" : `${each.toFixed(1)} ms`,
      ]);
    }
    table(rows);
    console.log("to reach: all to one 1.20x at most, and the same cost of each more up to 5,000");
  } finally {
    engine.close();
  }
}
