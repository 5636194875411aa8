import { expect } from "chai";
import { runProgram, type StackName } from "../support/stacks";
import { get, workloads } from "../support/workloads";

/** The AppArmor profile that the Pods of each workload name, the Pod's own and its containers'. */
async function profiles(stack: StackName): Promise<Record<string, unknown[]>> {
  const { resources } = await runProgram(stack);
  return Object.fromEntries(
    workloads(resources).map(({ name, spec }) => {
      const containers = [spec.initContainers, spec.containers].flatMap((list) =>
        Array.isArray(list) ? list : [],
      );
      const named = [spec, ...containers].map((each) =>
        get(each, "securityContext", "appArmorProfile", "type"),
      );
      return [name, [...new Set(named.filter((type) => type !== null))]];
    }),
  );
}

describe("AppArmor", () => {
  for (const stack of ["staging", "production"] as const) {
    it(`confines every Pod of ${stack} by the runtime's profile, but the sensor that looks into nodes`, async () => {
      const { "DaemonSet falco-sensor-daemon": sensor, ...others } = await profiles(stack);
      expect(sensor).to.deep.equal(["Unconfined"]);
      expect(Object.keys(others)).to.include.members([
        "DaemonSet promtail-collector",
        "Rollout inventory-release-rollout",
      ]);
      for (const [name, named] of Object.entries(others))
        expect(named, name).to.deep.equal(["RuntimeDefault"]);
    });
  }

  it("is not named where the nodes have none", async () => {
    for (const [name, named] of Object.entries(await profiles("local"))) {
      expect(named, name).to.deep.equal([]);
    }
  });
});
