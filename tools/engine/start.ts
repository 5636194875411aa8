import { z } from "zod";
import { clusterEnvironment } from "../cluster/environment";
import { up } from "../cluster/main";
import { requireLinuxRoot } from "../cluster/preflight";
import { usesEmbeddedCluster } from "./cluster";
import { defaultStack } from "./invocation";
import { projectRoot as root } from "./project";
import { report, UserError } from "./report";
import { capturePulumi, runPulumi } from "./run";

const outputs = z.looseObject({ url: z.string().optional(), gatewayCaCertificate: z.string().optional() });

/**
 * From an empty machine to a service that answers: the embedded cluster (unless the stack is meant for another
 * one), then the local stack. Both do nothing where everything is as it should be.
 */
export async function start(): Promise<number> {
  const embedded = usesEmbeddedCluster(root, defaultStack);
  // Said before anything is built for it.
  if (embedded) requireLinuxRoot();
  const first = embedded && Object.keys(clusterEnvironment()).length === 0;
  if (first) await checkSettings();
  if (embedded) await up();
  // The preview stops what violates a policy before anything is applied; the check above was one.
  const preview = first ? ["--skip-preview"] : [];
  const code = await runPulumi(root, ["up", "--stack", defaultStack, "--yes", ...preview]);
  if (code !== 0) return code;
  const result = await capturePulumi(root, ["stack", "output", "--json", "--stack", defaultStack]);
  if (result.code !== 0)
    throw new UserError(`The stack's outputs could not be read:\n${result.stderr.trim()}`);
  const { url, gatewayCaCertificate } = outputs.parse(JSON.parse(result.stdout));
  if (url === undefined) throw new UserError(`The stack ${defaultStack} has no output "url".`);
  report("");
  for (const line of howToCall(url, gatewayCaCertificate !== undefined)) console.log(line);
  return 0;
}

/** A first cluster takes many minutes: a mistake in the settings is to be seen before it, not after. */
async function checkSettings(): Promise<void> {
  report("checking settings and policies before the cluster is brought up");
  const result = await capturePulumi(root, ["preview", "--stack", defaultStack, "--non-interactive"]);
  if (result.code !== 0) throw new UserError(`${result.stdout}\n${result.stderr}`.trim());
}

/** The host of the local gateway is in no DNS everywhere, so its address is given along. */
function howToCall(url: string, ownCertificate: boolean): string[] {
  const { hostname, port } = new URL(url);
  const secret = "npm run --silent pulumi -- stack output";
  const certificate = ownCertificate ? ["--cacert gateway-ca.pem"] : [];
  return [
    `The inventory service answers at ${url}`,
    "",
    ...(ownCertificate ? [`  ${secret} gatewayCaCertificate > gateway-ca.pem`] : []),
    `  curl ${[...certificate, `--resolve ${hostname}:${port || 443}:127.0.0.1`].join(" ")} \\`,
    `    -H "X-API-Key: $(${secret} adminApiKey --show-secrets)" ${url}/api/v1/items`,
  ];
}
