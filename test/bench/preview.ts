import { clusterEnvironment } from "../../tools/cluster/environment";
import { bareEngine, command, projectFile } from "./engine";
import { best, ratio, seconds, table } from "./measure";

/** What a preview with the policy pack costs, against the least that any preview costs. */
export async function preview(): Promise<void> {
  const engine = await bareEngine();
  try {
    const empty = engine.preview({ "Pulumi.yaml": projectFile("empty"), "index.js": "" });
    const rows = [["preview, warm, best of 3", "time", "to the empty program"]];
    rows.push(["an empty JavaScript program, no policies", seconds(empty), ratio(1)]);
    for (const stack of ["local", "staging", "production"]) {
      const time = best(3, () => command("preview", "--stack", stack));
      rows.push([`${stack}, with the policy pack`, seconds(time), ratio(time / empty)]);
    }
    if (Object.keys(clusterEnvironment()).length > 0) {
      const time = best(2, () => command("up", "--stack", "local", "--yes", "--skip-preview"));
      rows.push(["up of local that changes nothing", seconds(time), ratio(time / empty)]);
    } else {
      rows.push(["up of local that changes nothing", "not run", "(npm start first)"]);
    }
    table(rows);
  } finally {
    engine.close();
  }
}
