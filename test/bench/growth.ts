import { bareEngine, projectFile } from "./engine";
import { ratio, seconds, table } from "./measure";

/** How a preview grows with the number of applications; a straight line has the same cost for each of them. */
export async function growth(): Promise<void> {
  const engine = await bareEngine();
  try {
    const files = {
      "Pulumi.yaml": projectFile("growth"),
      "index.js": 'require("tsx/cjs");\nrequire("../../../../test/bench/many.ts");\n',
    };
    const counts = [1, 10, 25, 50];
    const times = counts.map((count) =>
      engine.preview(files, { runs: 2, flags: ["--config", `growth:applications=${count}`] }),
    );
    const [first = 0] = times;
    const rows = [["applications, no policies", "preview", "each more"]];
    let cheapest = Infinity;
    let dearest = 0;
    for (const [index, count] of counts.entries()) {
      const time = times[index] ?? 0;
      if (index === 0) {
        rows.push([`${count}`, seconds(time), ""]);
        continue;
      }
      const each = (time - first) / (count - 1);
      cheapest = Math.min(cheapest, each);
      dearest = Math.max(dearest, each);
      rows.push([`${count}`, seconds(time), `${Math.round(each * 1000)} ms`]);
    }
    rows.push(["dearest to cheapest", "", ratio(dearest / cheapest)]);
    table(rows);
  } finally {
    engine.close();
  }
}
