import { cluster, clusterCold } from "./cluster";
import { delivery } from "./delivery";
import { growth } from "./growth";
import { history } from "./history";
import { policy } from "./policy";
import { preview } from "./preview";
import { service } from "./service";

/** Every suite; those that `npm run bench` leaves out unless they are named say why. */
const suites: Record<string, { readonly run: () => Promise<void>; readonly onlyByName?: string }> = {
  preview: { run: preview },
  growth: { run: growth },
  policy: { run: policy },
  history: { run: history },
  service: { run: service },
  cluster: { run: cluster },
  delivery: { run: delivery, onlyByName: "it runs the delivery suite, in about 25 minutes" },
  "cluster-cold": { run: clusterCold, onlyByName: "it builds everything again, in about 20 minutes" },
};

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => suites[name] === undefined);
  if (unknown.length > 0) {
    throw new Error(`no such suite: ${unknown.join(", ")}; there are ${Object.keys(suites).join(", ")}`);
  }
  for (const [name, suite] of Object.entries(suites)) {
    if (names.length > 0 ? !names.includes(name) : suite.onlyByName !== undefined) {
      if (names.length === 0) console.log(`\n${name}: left out, ${suite.onlyByName}`);
      continue;
    }
    console.log(`\n== ${name} ==`);
    await suite.run();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? `error: ${error.message}` : error);
  process.exitCode = 1;
});
