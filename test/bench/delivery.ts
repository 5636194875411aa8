import { spawnSync } from "node:child_process";
import { checkout } from "../e2e/support/command";
import { readFigures } from "../e2e/support/figures";
import { table } from "./measure";

/** Every scenario of the delivery suite, and what users saw of it. */
export function delivery(): Promise<void> {
  const { status } = spawnSync("npm", ["run", "--silent", "e2e", "--", "delivery"], {
    cwd: checkout,
    stdio: "inherit",
  });
  table([
    ["scenario", "measured", "to reach"],
    ...readFigures().map(({ scenario, measured, toReach = "" }) => [scenario, measured, toReach]),
  ]);
  if (status !== 0) return Promise.reject(new Error("some scenarios did not end as they should; see above"));
  return Promise.resolve();
}
